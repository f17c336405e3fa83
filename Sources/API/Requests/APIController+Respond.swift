import Hummingbird
import Models
import Store

extension APIController {
    /// Authenticates, checks permission, reads the request, and only then lets the route work.
    func respond(to request: Request, _ context: BasicRequestContext, by route: Route) async throws -> Response {
        switch route.handler {
        case .open(let work):
            return try await work(.reading(request, context, for: route))
        case .signedIn(let work):
            let principal = try await principal(of: request)
            return try await work(.reading(request, context, for: route), principal)
        case .admin(let work):
            let principal = try await principal(of: request)
            guard principal.isAdmin else {
                throw MoorError(.forbidden, "only admins may do this", hint: "ask an admin of this platform")
            }
            return try await work(.reading(request, context, for: route), principal)
        case .app(let action, let work):
            let principal = try await principal(of: request)
            let app = try await app(named: context.parameters.require("app"), for: principal, to: action)
            return try await work(.reading(request, context, for: route), principal, app)
        }
    }

    private func principal(of request: Request) async throws -> Principal {
        try await Credentials(request.headers[.authorization])
            .principal(by: authenticator, address: Call.address(of: request.headers))
    }

    /// - Throws: `notFound` where the caller may not even look at the app: its existence is not theirs to know.
    func app(named text: String, for principal: Principal, to action: AppAction) async throws -> AppOfCaller {
        let missing = MoorError(.notFound, "there is no app “\(text.prefix(60))”", hint: "moor apps lists the apps you may see")
        guard let name = AppName(rawValue: text) else { throw missing }
        guard let app = try await store.read({ db in try AppOfCaller.named(name, of: principal, db) }), app.allows(.view) else {
            throw missing
        }
        guard app.allows(action) else {
            throw MoorError(.forbidden, "you may look at “\(name)”, but not do this to it", hint: "ask \(app.owner), who owns it")
        }
        return app
    }
}
