import GRDB
import Hummingbird
import Models
import Store

extension PanelController {
    func addOverviewRoutes(to router: Router<BasicRequestContext>) {
        router.get("/", use: signedIn(overview))
        router.get("/apps", use: signedIn { _, _ in redirect("/") })
    }

    private func overview(_ visit: Visit, _ principal: Principal) async throws -> Response {
        let model = try await store.read { try OverviewModel(for: principal, $0) }
        var ready: [AppID: Int] = [:]
        for app in model.apps where app.mayInspect {
            guard let appID = app.record.id, let releaseID = app.record.liveReleaseID else { continue }
            ready[appID] = await operations.replicas(appID).count { $0.releaseID == releaseID && $0.state == .ready }
        }
        let view = OverviewView(
            model, ready: ready, principal: principal, panelURL: configuration.panelURL, appURL: configuration.appURL, now: now())
        return try page("overview", view, frame("Apps", visit, tab: .apps))
    }
}
