import GRDB
import HTTPTypes
import Hummingbird
import Models
import Store

extension PanelController {
    /// `/open` is the middle of a viewer's way into an app: the app's host sent the browser here with a `state`, and gets
    /// it back with a one-time code.
    func addOpenRoute(to router: Router<BasicRequestContext>) {
        router.get(
            "/open",
            use: anyone { visit in
                var response = try await open(visit)
                response.headers[.referrerPolicy] = "no-referrer"
                return response
            })
    }

    private func open(_ visit: Visit) async throws -> Response {
        let to = LocalPath.accept(visit.query["to"]) ?? "/"
        guard let state = visit.query["state"], FormToken.isRandom(state) else {
            throw MoorError(.invalid, "This link is not complete", hint: "Open the app by its own address.")
        }
        guard let (app, owner) = try await appToOpen(visit.query["app"] ?? "") else {
            throw MoorError(.notFound, "There is no app of that name", hint: "It may have been removed. Check the address.")
        }
        guard visit.principal != nil, let cookie = visit.cookie else { return signInFirst(visit) }
        let code: String
        do {
            code = try await accounts.issueCode(session: cookie, appID: app.id!, state: state)
        } catch {
            guard error.code == .forbidden else { throw error }
            throw MoorError(
                .forbidden, "\(app.name) is open to named people only, and you are not among them",
                hint: "Ask its owner, \(owner), to add \(visit.principal?.username ?? "you").")
        }
        let query = "code=\(FormFields.encode(code))&to=\(FormFields.encode(to))&state=\(FormFields.encode(state))"
        return redirect("\(configuration.appURL(app.name))/_moor/callback?\(query)", status: .found)
    }

    private func appToOpen(_ name: String) async throws(MoorError) -> (AppRecord, owner: String)? {
        guard let name = AppName(rawValue: name) else { return nil }
        return try await store.read { db in
            guard let app = try AppRecord.named(name, db), let owner = try UserRecord.filter(Column("id") == app.ownerID).fetchOne(db)
            else {
                return nil
            }
            return (app, owner.name.isEmpty ? owner.username : "\(owner.name) (\(owner.username))")
        }
    }
}
