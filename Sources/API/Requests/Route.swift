import Hummingbird
import Models

/// One endpoint: who may call it, what it takes and answers, and what it does.
struct Route: Sendable {
    /// Who may call, and the work with what that guarantees.
    enum Handler: Sendable {
        /// Anybody.
        case open(@Sendable (Call) async throws -> Response)
        case signedIn(@Sendable (Call, Principal) async throws -> Response)
        case admin(@Sendable (Call, Principal) async throws -> Response)
        /// Those who may do the action to the app that the path names.
        case app(AppAction, @Sendable (Call, Principal, AppOfCaller) async throws -> Response)
    }

    /// What it answers when all goes well.
    struct Answer: Sendable {
        var status: HTTPResponse.Status
        var contentType: String?
        var schema: Schema?
        var description: String

        static func json(_ schema: Schema, _ description: String, status: HTTPResponse.Status = .ok) -> Answer {
            Answer(status: status, contentType: "application/json", schema: schema, description: description)
        }

        /// Lines of JSON; `schema` is one line.
        static func lines(_ schema: Schema, _ description: String) -> Answer {
            Answer(status: .ok, contentType: "application/x-ndjson", schema: schema, description: description)
        }

        /// A WebSocket (RFC 6455); asked for without the wish to switch protocols, it says so with 426.
        static func webSocket(_ description: String) -> Answer {
            Answer(status: .switchingProtocols, contentType: nil, schema: nil, description: description)
        }

        static func nothing(_ description: String) -> Answer {
            Answer(status: .noContent, contentType: nil, schema: nil, description: description)
        }
    }

    var method: HTTPRequest.Method
    /// Under `/api/v1`, with parameters as `{name}`.
    var path: String
    /// The OpenAPI operation's id.
    var name: String
    var summary: String
    var query: [Schema.Field] = []
    var body: Schema?
    var answer: Answer
    /// Failures beyond those that follow from the rest.
    var failures: [MoorError.Code] = []
    var handler: Handler

    /// The names in braces.
    var parameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}
