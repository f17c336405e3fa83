import GRDB
import Hummingbird
import Logging
import Models
import Store

extension APIController {
    var accessRoutes: [Route] {
        [
            Route(
                method: .get, path: "/apps/{app}/access", name: "getAccess", summary: "Who may look at an app and who works on it",
                answer: .json(.named("Access"), "The access rules"), handler: .app(.inspect, get)),
            Route(
                method: .put, path: "/apps/{app}/access", name: "setAccess", summary: "Set who may look at an app",
                body: .object([.init("mode", .named("AccessMode"), "Anybody, any signed-in user, or those named")]),
                answer: .json(.named("Access"), "The access rules as they are now"), handler: .app(.govern, set)),
            Route(
                method: .put, path: "/apps/{app}/access/users/{username}", name: "addToAccess", summary: "Name a user on an app",
                body: .object([.init("role", .word(["viewer", "collaborator"]), "Look at it, or work on it")]),
                answer: .json(.named("Access"), "The access rules as they are now"), failures: [.conflict], handler: .app(.govern, add)),
            Route(
                method: .delete, path: "/apps/{app}/access/users/{username}", name: "removeFromAccess", summary: "Take a user off an app",
                answer: .nothing("The user is no longer named"), handler: .app(.govern, remove)),
        ]
    }

    struct Access: Sendable {
        var mode: AccessMode
        var owner: String
        var users: [NamedUser]
    }

    struct NamedUser: Sendable {
        var username: String
        var role: String
    }

    static let namedUserShape = Shape<NamedUser>(
        "NamedUser",
        [
            .init("username", .string(), "The user's name") { .string($0.username) },
            .init("role", .word(["viewer", "collaborator"]), "Look at it, or work on it") { .string($0.role) },
        ])

    static let accessShape = Shape<Access>(
        "Access",
        [
            .init("mode", .named("AccessMode"), "Who may look at it") { .string($0.mode.rawValue) },
            .init("owner", .string(), "The owner's user name") { .string($0.owner) },
            .init("users", .array(.named("NamedUser")), "Who else is named") { namedUserShape.json($0.users) },
        ])

    private func access(_ app: AppOfCaller) async throws -> Response {
        let access = try await store.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT users.username, collaborators.role FROM collaborators JOIN users ON users.id = collaborators.userID
                    WHERE collaborators.appID = ? ORDER BY users.username
                    """,
                arguments: [app.id])
            // Read again: the mode may just have been changed.
            let mode = try AccessMode.fetchOne(db, sql: "SELECT access FROM apps WHERE id = ?", arguments: [app.id])
            return Access(
                mode: mode ?? app.record.access, owner: app.owner, users: rows.map { NamedUser(username: $0["username"], role: $0["role"]) }
            )
        }
        return try .json(Self.accessShape.json(access))
    }

    @Sendable private func get(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        try await access(app)
    }

    @Sendable private func set(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let mode = try AccessMode.checked(call.body["mode"].string, key: "mode")
        try await operations.setAccess(app.id, mode: mode)
        logger.info("access changed", metadata: ["app": "\(app.name)", "mode": "\(mode.rawValue)", "by": "\(principal.username)"])
        return try await access(app)
    }

    @Sendable private func add(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let role = try AppRole.checked(call.body["role"].string, key: "role")
        let username = call.parameters["username"] ?? ""
        try await operations.setCollaborator(app.id, username: username, role: role)
        logger.info(
            "access changed",
            metadata: ["app": "\(app.name)", "user": "\(username)", "role": "\(role.rawValue)", "by": "\(principal.username)"])
        return try await access(app)
    }

    @Sendable private func remove(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let username = call.parameters["username"] ?? ""
        try await operations.setCollaborator(app.id, username: username, role: nil)
        logger.info(
            "access changed", metadata: ["app": "\(app.name)", "user": "\(username)", "role": "none", "by": "\(principal.username)"])
        return .nothing
    }
}
