import Hummingbird
import Models

/// The OpenAPI 3.1 document of a list of routes.
struct OpenAPIDocument: Sendable {
    var routes: [Route]
    var version: String

    var json: JSON {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Moorage",
                "version": .string(version),
                "description": .string(Self.introduction),
            ],
            "servers": [["url": .string(APIController.prefix)]],
            "paths": .object(paths),
            "components": [
                "schemas": .object(Dictionary(schemas.map { ($0.name, $0.schema.json) }) { _, last in last }),
                "responses": .object(Dictionary(Failure.all.map { ($0.name, $0.json) }) { _, last in last }),
                "securitySchemes": [
                    "token": ["type": "http", "scheme": "bearer", "description": "A token from POST /login or POST /tokens"],
                    "password": [
                        "type": "http", "scheme": "basic", "description": "User name, and password or a token in its place",
                    ],
                ],
            ],
        ]
    }

    private static let introduction = """
        What people and programs may do on this platform. Times are RFC 3339 in UTC. Bodies are JSON of at most 1 MiB; \
        keys that are not described are refused. Every failure is a problem details object (RFC 9457). An app that the \
        caller may not look at is answered as if it did not exist.
        """

    private var paths: [String: JSON] {
        Dictionary(grouping: routes, by: \.path).mapValues { routes in
            .object(Dictionary(routes.map { ($0.method.rawValue.lowercased(), $0.operation) }) { _, last in last })
        }
    }

    private var schemas: [(name: String, schema: Schema)] {
        Words.components + [
            Problem.documentShape.component, Problem.shape.component, APIController.healthShape.component,
            APIController.meShape.component, APIController.tokenShape.component, APIController.newTokenShape.component,
            APIController.userShape.component, APIController.appShape.component, APIController.replicaShape.component,
            APIController.logLineShape.component, APIController.processShape.component, APIController.releaseShape.component,
            APIController.buildShape.component, APIController.pushShape.component, APIController.namedUserShape.component,
            APIController.accessShape.component, APIController.diskUseShape.component, APIController.resourcesShape.component,
            APIController.quotaShape.component, APIController.rolloutShape.component, APIController.rolloutProcessShape.component,
            APIController.releaseTrafficShape.component, APIController.oneOffShape.component, ("Progress", Self.progress),
        ]
    }

    /// One line of a change's progress.
    private static let progress = Schema.either([
        .object([.init("line", .string(), "What happens")]),
        .object([.init("release", .nullable(.integer(1...Int.max)), "The last line where it went well: the new release's number")]),
        .object([.init("error", .named("Error"), "The last line where it failed")]),
    ])
}
