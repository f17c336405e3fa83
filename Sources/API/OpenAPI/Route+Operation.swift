import Hummingbird
import Models

extension Route {
    /// The OpenAPI operation object.
    var operation: JSON {
        var members: [String: JSON] = [
            "operationId": .string(name),
            "summary": .string(summary),
            "description": .string(permission),
            "responses": .object(responses),
            "security": isOpen ? [] : [["token": []], ["password": []]],
        ]
        let parameters = parameters.map(Self.pathParameter) + query.map(Self.queryParameter)
        if !parameters.isEmpty { members["parameters"] = .array(parameters) }
        if let body {
            members["requestBody"] = ["required": true, "content": ["application/json": ["schema": body.json]]]
        }
        return .object(members)
    }

    private var isOpen: Bool { if case .open = handler { true } else { false } }

    private var permission: String {
        switch handler {
        case .open: "For anybody."
        case .signedIn: "For any signed-in user."
        case .admin: "For admins."
        case .app(.view, _): "For those who may look at the app."
        case .app(.inspect, _), .app(.operate, _), .app(.runCommands, _): "For the app's owner and collaborators, and for admins."
        case .app(.govern, _): "For the app's owner and for admins."
        }
    }

    private static func pathParameter(_ name: String) -> JSON {
        [
            "name": .string(name), "in": "path", "required": true,
            "schema": name == "id" ? Schema.integer(1...Int.max).json : Schema.string().json,
        ]
    }

    private static func queryParameter(_ field: Schema.Field) -> JSON {
        [
            "name": .string(field.name), "in": "query", "required": .bool(field.isRequired),
            "description": .string(field.description), "schema": field.schema.json,
        ]
    }

    private var responses: [String: JSON] {
        var good: [String: JSON] = ["description": .string(answer.description)]
        if let type = answer.contentType, let schema = answer.schema { good["content"] = [type: ["schema": schema.json]] }
        if answer.status == .created, path == "/apps" {
            good["headers"] = ["Location": ["description": "Where the app is in this API", "schema": Schema.string().json]]
        }
        var all: [String: JSON] = [String(answer.status.code): .object(good)]
        for failure in Failure.all where failures(of: failure) {
            all[String(failure.status)] = ["$ref": "#/components/responses/\(failure.name)"]
        }
        return all
    }

    /// Whether the route can fail so.
    private func failures(of failure: Failure) -> Bool {
        switch failure.status {
        case 400: body != nil || !query.isEmpty || !parameters.isEmpty
        case 413, 415: body != nil
        case 426: answer.status == .switchingProtocols
        case 401, 429: !isOpen || failures.contains { $0.httpStatus == failure.status }
        case 403: permissionCanFail || failures.contains(.forbidden)
        case 404: path.contains("{app}") || failures.contains(.notFound)
        case 500, 503: true
        default: failures.contains { $0.httpStatus == failure.status }
        }
    }

    private var permissionCanFail: Bool {
        switch handler {
        case .open, .signedIn, .app(.view, _): false
        case .admin, .app: true
        }
    }
}

/// A failure that responses refer to, by status.
struct Failure: Sendable {
    var name: String
    var status: Int
    var description: String

    static let all: [Failure] =
        MoorError.Code.allCases.map { Failure(name: $0.rawValue, status: $0.httpStatus, description: $0.explanation) } + [
            Failure(name: "bodyTooLarge", status: 413, description: "The body is larger than 1 MiB (code invalid)"),
            Failure(name: "upgradeRequired", status: 426, description: "Only a WebSocket handshake is answered here (code invalid)"),
            Failure(name: "unsupportedMediaType", status: 415, description: "The body is not application/json (code invalid)"),
        ]

    var json: JSON {
        var members: [String: JSON] = [
            "description": .string(description),
            "content": ["application/problem+json": ["schema": Schema.named("Problem").json]],
        ]
        if status == 401 {
            members["headers"] = [
                "WWW-Authenticate": ["description": "A Bearer challenge (RFC 6750 section 3)", "schema": Schema.string().json]
            ]
        }
        return .object(members)
    }
}

extension MoorError.Code {
    fileprivate var explanation: String {
        switch self {
        case .invalid: "The request is malformed or a value is not allowed"
        case .unauthenticated: "Nobody is signed in, or the credentials are wrong"
        case .forbidden: "Signed in, but not allowed"
        case .notFound: "There is no such thing, or it is not the caller's to know about"
        case .conflict: "The state of things does not allow it now"
        case .rateLimited: "Too much, too fast"
        case .appFailed: "The app itself fails: it does not start or does not answer"
        case .unavailable: "Something the platform needs is down or full"
        case .timedOut: "It took longer than its limit"
        case .cancelled: "The work was cancelled by whoever asked for it"
        case .internalError: "A defect of the platform"
        }
    }
}
