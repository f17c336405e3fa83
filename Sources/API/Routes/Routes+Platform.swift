import GRDB
import Hummingbird
import Models
import Store

extension APIController {
    var platformRoutes: [Route] {
        [
            Route(
                method: .get, path: "/health", name: "health", summary: "Whether the platform works",
                answer: .json(.named("Health"), "It does"), handler: .open(health)),
            Route(
                method: .get, path: "/openapi.json", name: "document", summary: "This document",
                answer: .json(.anything, "The OpenAPI document"), handler: .open(document)),
        ]
    }

    static let healthShape = Shape<String>(
        "Health",
        [
            .init("status", .word(["ok"]), "Always ok; a platform that is not well answers 503") { _ in "ok" },
            .init("version", .string(), "The platform's version") { .string($0) },
        ])

    @Sendable private func health(_ call: Call) async throws -> Response {
        _ = try await store.read { db in try db.execute(literal: "SELECT 1") }
        return try .json(Self.healthShape.json(version))
    }

    @Sendable private func document(_ call: Call) async throws -> Response {
        try .json(OpenAPIDocument(routes: routes, version: version).json)
    }
}
