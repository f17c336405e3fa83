import Hummingbird
import Logging
import Models

extension APIController {
    var userRoutes: [Route] {
        [
            Route(
                method: .get, path: "/users", name: "listUsers", summary: "Everybody on the platform",
                answer: .json(.object([.init("users", .array(.named("User")), "By user name")]), "The users"), handler: .admin(list)),
            Route(
                method: .post, path: "/users", name: "addUser", summary: "Add a user",
                body: .object([
                    .init("username", .string(length: 1...64), "The name to sign in with"),
                    .init("password", .string(length: 1...1024), "At least 10 characters"),
                    .init("name", .string(length: 0...200), "The full name", isRequired: false),
                    .init("email", .string(length: 0...254), "The address that apps are told", isRequired: false),
                    .init("role", .named("PlatformRole"), "developer where it is left out", isRequired: false),
                    .init("groups", .array(.string(length: 1...128)), "Groups that apps are told of", isRequired: false),
                ]),
                answer: .json(.named("User"), "The new user", status: .created), failures: [.conflict], handler: .admin(add)),
            Route(
                method: .delete, path: "/users/{username}", name: "removeUser",
                summary: "Remove a user with their sessions and tokens",
                answer: .nothing("The user is no more"), failures: [.notFound, .conflict], handler: .admin(remove)),
        ]
    }

    static let userShape = Shape<UserSummary>(
        "User",
        [
            .init("username", .string(), "The name to sign in with") { .string($0.username) },
            .init("name", .string(), "The full name; may be empty") { .string($0.name) },
            .init("email", .string(), "May be empty") { .string($0.email) },
            .init("role", .named("PlatformRole"), "What the user may do on the platform") { .string($0.role.rawValue) },
            .init("groups", .array(.string()), "Groups that apps are told of") { .array($0.groups.map { .string($0) }) },
        ])

    @Sendable private func list(_ call: Call, _ principal: Principal) async throws -> Response {
        try .json(["users": Self.userShape.json(try await accounts.users())])
    }

    @Sendable private func add(_ call: Call, _ principal: Principal) async throws -> Response {
        let role = try PlatformRole.checked(call.body["role"].string ?? PlatformRole.developer.rawValue, key: "role")
        let user = UserSummary(
            username: call.body["username"].string ?? "", name: call.body["name"].string ?? "", email: call.body["email"].string ?? "",
            role: role, groups: call.body["groups"].array.compactMap(\.string))
        try await accounts.addUser(user, password: call.body["password"].string ?? "")
        logger.info("user added", metadata: ["user": "\(user.username)", "role": "\(role.rawValue)", "by": "\(principal.username)"])
        return try .json(Self.userShape.json(user), status: .created)
    }

    @Sendable private func remove(_ call: Call, _ principal: Principal) async throws -> Response {
        let username = call.parameters["username"] ?? ""
        try await accounts.removeUser(username)
        logger.info("user removed", metadata: ["user": "\(username)", "by": "\(principal.username)"])
        return .nothing
    }
}
