import Hummingbird
import Logging
import Models

extension APIController {
    var tokenRoutes: [Route] {
        [
            Route(
                method: .get, path: "/tokens", name: "listTokens", summary: "The caller's tokens",
                answer: .json(.object([.init("tokens", .array(.named("Token")), "By name")]), "The tokens, without their secrets"),
                handler: .signedIn(list)),
            Route(
                method: .post, path: "/tokens", name: "createToken", summary: "Make a token",
                body: .object([
                    .init("name", .string(length: 1...64), "What the token is for"),
                    .init("days", .nullable(.integer(1...3650)), "How long it works; for ever where it is left out", isRequired: false),
                ]),
                answer: .json(.named("NewToken"), "The token, shown this once", status: .created), failures: [.conflict],
                handler: .signedIn(create)),
            Route(
                method: .delete, path: "/tokens/{name}", name: "revokeToken", summary: "Revoke a token",
                answer: .nothing("It no longer works"), failures: [.notFound], handler: .signedIn(revoke)),
        ]
    }

    static let tokenShape = Shape<TokenSummary>(
        "Token",
        [
            .init("name", .string(), "What the token is for") { .string($0.name) },
            .init("createdAt", .string(format: "date-time"), "When it was made") { JSON(time: $0.createdAt) },
            .init("lastUsedAt", .nullable(.string(format: "date-time")), "Null where it never was") { JSON(time: $0.lastUsedAt) },
            .init("expiresAt", .nullable(.string(format: "date-time")), "Null where it never does") { JSON(time: $0.expiresAt) },
        ])

    struct NewToken: Sendable {
        var name: String
        var token: String
        var username: String
        var expiresAt: Double?
    }

    static let newTokenShape = Shape<NewToken>(
        "NewToken",
        [
            .init("name", .string(), "What the token is called") { .string($0.name) },
            .init("token", .string(), "The secret; it cannot be shown again") { .string($0.token) },
            .init("username", .string(), "Whose it is") { .string($0.username) },
            .init("expiresAt", .nullable(.string(format: "date-time")), "Null where it never does") { JSON(time: $0.expiresAt) },
        ])

    func newToken(_ token: String, named name: String, of principal: Principal) async throws -> Response {
        let summary = try await accounts.tokens(of: principal.userID).first { $0.name == name }
        let new = NewToken(name: name, token: token, username: principal.username, expiresAt: summary?.expiresAt)
        return try .json(Self.newTokenShape.json(new), status: .created)
    }

    @Sendable private func list(_ call: Call, _ principal: Principal) async throws -> Response {
        let tokens = try await accounts.tokens(of: principal.userID)
        return try .json(["tokens": Self.tokenShape.json(tokens)])
    }

    @Sendable private func create(_ call: Call, _ principal: Principal) async throws -> Response {
        let name = call.body["name"].string ?? ""
        let token = try await accounts.createToken(for: principal.userID, name: name, expiresInDays: call.body["days"].integer)
        logger.info("token made", metadata: ["user": "\(principal.username)", "token": "\(name)"])
        return try await newToken(token, named: name, of: principal)
    }

    @Sendable private func revoke(_ call: Call, _ principal: Principal) async throws -> Response {
        let name = call.parameters["name"] ?? ""
        try await accounts.revokeToken(of: principal.userID, name: name)
        logger.info("token revoked", metadata: ["user": "\(principal.username)", "token": "\(name)"])
        return .nothing
    }
}
