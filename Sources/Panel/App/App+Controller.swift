import GRDB
import Hummingbird
import Models
import Store

extension PanelController {
    func addAppRoutes(to router: Router<BasicRequestContext>) {
        router.get("/apps/:app", use: signedIn { visit, principal in try await appPage(visit, principal) })
        router.post("/apps/:app/rollback", use: appForm(.operate, rollBack))
        router.post("/apps/:app/scale", use: appForm(.operate, scale))
        router.post("/apps/:app/access", use: appForm(.govern, setAccess))
        router.post("/apps/:app/people", use: appForm(.govern, setPerson))
    }

    private static let notices = [
        "access": "Who may see the app has changed.", "people": "The list of people has changed.",
    ]

    private func appPage(_ visit: Visit, _ principal: Principal, problem: MoorError? = nil) async throws -> Response {
        let name = visit.parameters.get("app") ?? ""
        let model = try await store.read { try AppModel(name, for: principal, $0) }
        let replicas = await operations.replicas(model.record.id!)
        let view = AppView(
            model, replicas: replicas, panelURL: configuration.panelURL, appURL: configuration.appURL(model.record.name), now: now())
        let notice = visit.query["done"].flatMap { Self.notices[$0] }
        return try page("app", view, frame(view.name, visit, tab: .apps, notice: notice, problem: problem), status: status(problem))
    }

    /// A form of an app's page; a refusal is shown on that page.
    private func appForm(
        _ action: AppAction, _ handler: @escaping @Sendable (Visit, Principal, AppRecord) async throws -> Response
    ) -> Handler {
        submitted { visit, principal in
            let name = visit.parameters.get("app") ?? ""
            let app = try await store.read { try AppModel.app(name, action, principal, $0) }
            do {
                return try await handler(visit, principal, app)
            } catch {
                return try await appPage(visit, principal, problem: .wrapping(error))
            }
        }
    }

    private func rollBack(_ visit: Visit, _ principal: Principal, _ app: AppRecord) async throws -> Response {
        guard let number = Int(visit.form.text("release")) else {
            throw MoorError(.invalid, "No release was named", hint: "Use the button beside a release.")
        }
        return try progressPage("Rolling \(app.name) back to v\(number)", back: "/apps/\(app.name)", visit) { log throws(MoorError) in
            let release = try await operations.rollback(app.id!, to: number, by: principal, log: log)
            return "v\(release) is live."
        }
    }

    private func scale(_ visit: Visit, _ principal: Principal, _ app: AppRecord) async throws -> Response {
        var counts: [String: Int] = [:]
        for (process, text) in visit.form.group("replicas-") {
            guard let count = Int(text), (0...100).contains(count) else {
                throw MoorError(.invalid, "“\(text.prefix(20))” is not a number of replicas", hint: "Use 0 to 100.")
            }
            counts[process] = count
        }
        guard !counts.isEmpty else { throw MoorError(.invalid, "No process was named", hint: "Use the form on this page.") }
        let wanted = counts
        return try progressPage("Scaling \(app.name)", back: "/apps/\(app.name)", visit) { log throws(MoorError) in
            for (process, count) in wanted.sorted(by: { $0.key < $1.key }) { await log.line("\(process): \(count)") }
            try await operations.scale(app.id!, to: wanted, by: principal)
            return "All replicas are as you asked."
        }
    }

    private func setAccess(_ visit: Visit, _ principal: Principal, _ app: AppRecord) async throws -> Response {
        guard let mode = AccessMode(rawValue: visit.form.text("access")) else {
            throw MoorError(.invalid, "No access mode was chosen", hint: "Choose one of the three.")
        }
        try await operations.setAccess(app.id!, mode: mode)
        return redirect("/apps/\(app.name)?done=access")
    }

    private func setPerson(_ visit: Visit, _ principal: Principal, _ app: AppRecord) async throws -> Response {
        let username = visit.form.text("username")
        guard !username.isEmpty else { throw MoorError(.invalid, "Nobody was named", hint: "Write the user name of an account.") }
        let role: AppRole?
        switch visit.form.text("role") {
        case "viewer": role = .viewer
        case "collaborator": role = .collaborator
        case "none": role = nil
        default: throw MoorError(.invalid, "No role was chosen", hint: "Choose viewer or collaborator.")
        }
        try await operations.setCollaborator(app.id!, username: username, role: role)
        return redirect("/apps/\(app.name)?done=people")
    }
}
