import GRDB
import Hummingbird
import Logging
import Models
import Store

extension APIController {
    var signInRoutes: [Route] {
        [
            Route(
                method: .post, path: "/login", name: "login", summary: "Exchange user name and password for a token",
                body: .object([
                    .init("username", .string(length: 1...64), "The user's name"),
                    .init("password", .string(length: 1...1024), "The user's password"),
                    .init("client", .string(length: 1...60), "What the token is for, such as the machine's name; becomes the token's name"),
                    .init("days", .integer(1...3650), "How long the token works; 90 where it is left out", isRequired: false),
                ]),
                answer: .json(.named("NewToken"), "The token, shown this once", status: .created),
                failures: [.unauthenticated, .forbidden, .rateLimited, .conflict], handler: .open(login)),
            Route(
                method: .get, path: "/me", name: "me", summary: "Who the caller is",
                answer: .json(.named("Me"), "The caller"), handler: .signedIn(me)),
        ]
    }

    static let meShape = Shape<UserRecord>(
        "Me",
        [
            .init("username", .string(), "The name to sign in with") { .string($0.username) },
            .init("name", .string(), "The full name; may be empty") { .string($0.name) },
            .init("email", .string(), "May be empty") { .string($0.email) },
            .init("role", .named("PlatformRole"), "What the user may do on the platform") { .string($0.role.rawValue) },
        ])

    @Sendable private func login(_ call: Call) async throws -> Response {
        let principal = try await authenticator.principal(
            username: call.body["username"].string ?? "", password: call.body["password"].string ?? "", address: call.address)
        guard principal.means == .password else {
            throw MoorError(
                .forbidden, "a token cannot be exchanged for another", hint: "sign in with the password, or use the token as it is")
        }
        let days = call.body["days"].integer ?? 90
        let name = try await freeTokenName(call.body["client"].string ?? "", of: principal)
        let token = try await accounts.createToken(for: principal.userID, name: name, expiresInDays: days)
        logger.info("signed in", metadata: ["user": "\(principal.username)", "token": "\(name)"])
        return try await newToken(token, named: name, of: principal)
    }

    /// A second sign-in from a machine of the same name leaves the first one's token alone.
    private func freeTokenName(_ wanted: String, of principal: Principal) async throws(MoorError) -> String {
        let taken = Set(try await accounts.tokens(of: principal.userID).map(\.name))
        guard taken.contains(wanted) else { return wanted }
        guard let free = (2...99).lazy.map({ "\(wanted) \($0)" }).first(where: { !taken.contains($0) }) else {
            throw MoorError(.conflict, "there are too many tokens named “\(wanted)”", hint: "revoke some with moor tokens revoke")
        }
        return free
    }

    @Sendable private func me(_ call: Call, _ principal: Principal) async throws -> Response {
        guard let user = try await store.read({ db in try UserRecord.fetchOne(db, key: principal.userID) }) else {
            throw MoorError(.unauthenticated, "this user is no more", hint: "moor login")
        }
        return try .json(Self.meShape.json(user))
    }
}
