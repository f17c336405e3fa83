import Hummingbird
import Models
import Store

extension PanelController {
    func addBuildRoutes(to router: Router<BasicRequestContext>) {
        router.get(
            "/apps/:app/pushes/:push",
            use: signedIn { visit, principal in
                let (app, push) = (visit.parameters.get("app") ?? "", visit.parameters.get("push") ?? "")
                let model = try await store.read { try BuildModel(app: app, push: push, for: principal, $0) }
                var log: String?
                if let buildID = model.build?.id { log = try? await operations.buildLog(buildID) }
                let view = BuildView(model, log: log, now: now())
                return try page("build", view, frame("\(view.push.subject) · \(view.app)", visit, tab: .apps))
            })
    }
}
