package import Hummingbird
package import Logging
package import Models
package import Store

/// The JSON API under `/api/v1`: what `moor` on a person's machine and any other program talks to.
///
/// Callers show a bearer token (RFC 6750) or HTTP Basic credentials (RFC 7617); the panel's cookie is not looked at, so
/// there is nothing for another site to forge.
package struct APIController: Sendable {
    let store: DataStore
    let authenticator: any Authenticator
    let accounts: any AccountOperations
    let operations: any AppOperations
    let builds: any BuildOperations
    let commands: any CommandOperations
    let version: String
    let logger: Logger
    /// How long a stream stays silent before it carries a blank line.
    let heartbeat: Duration
    /// How long a command may go on without a byte either way.
    let commandIdleLimit: Duration

    /// - Parameters:
    ///   - version: the platform's version, shown by `/health` and in the OpenAPI document.
    ///   - heartbeat: how long a stream stays silent before it carries a blank line, which tells both ends that the other lives.
    ///   - commandIdleLimit: how long a command may go on without a byte either way; zero for ever.
    package init(
        store: DataStore, authenticator: any Authenticator, accounts: any AccountOperations, operations: any AppOperations,
        builds: any BuildOperations, commands: any CommandOperations, version: String, logger: Logger,
        heartbeat: Duration = .seconds(15), commandIdleLimit: Duration = .seconds(4 * 3600)
    ) {
        self.store = store
        self.authenticator = authenticator
        self.accounts = accounts
        self.operations = operations
        self.builds = builds
        self.commands = commands
        self.version = version
        self.logger = logger
        self.heartbeat = heartbeat
        self.commandIdleLimit = commandIdleLimit
    }

    static let prefix = "/api/v1"

    /// Adds everything under `/api/v1`, what does not exist there included.
    package func addRoutes(to router: Router<BasicRequestContext>) {
        let group = router.group(RouterPath(stringLiteral: Self.prefix)).add(middleware: ProblemMiddleware(logger: logger))
        var methods: [String: [HTTPRequest.Method]] = [:]
        for route in routes {
            methods[route.path, default: []].append(route.method)
            group.on(RouterPath(stringLiteral: route.path), method: route.method) { request, context in
                try await respond(to: request, context, by: route)
            }
        }
        let all: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete]
        for (path, known) in methods {
            for method in all where !known.contains(method) {
                group.on(RouterPath(stringLiteral: path), method: method) { _, _ -> Response in
                    throw Problem.methodNotAllowed(method, allowed: known)
                }
            }
        }
        for method in all {
            group.on("**", method: method) { _, _ -> Response in
                throw MoorError(.notFound, "the API has no such path", hint: "see \(Self.prefix)/openapi.json")
            }
        }
    }

    /// Every endpoint; the OpenAPI document is made of the same list.
    var routes: [Route] {
        platformRoutes + signInRoutes + appRoutes + replicaRoutes + releaseRoutes + rolloutRoutes + configRoutes + pushRoutes + accessRoutes
            + userRoutes + tokenRoutes + imageRoutes + resourceRoutes + quotaRoutes + commandRoutes
    }
}
