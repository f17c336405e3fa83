import HTTPTypes
import Hummingbird
import Models

/// A failure as HTTP tells it: problem details (RFC 9457).
struct Problem: Error, Sendable {
    var error: MoorError
    var status: HTTPResponse.Status
    var headers: HTTPFields = [:]

    init(_ error: MoorError, status: HTTPResponse.Status? = nil, headers: HTTPFields = [:]) {
        self.error = error
        self.status = status ?? .init(code: error.code.httpStatus)
        self.headers = headers
        // RFC 9110 section 15.5.2 wants a challenge. Basic is accepted but not offered, so that no browser keeps a
        // password for this origin and sends it along with other sites' requests.
        if let seconds = error.retryAfterSeconds { self.headers[.retryAfter] = String(seconds) }
        if error.code == .unauthenticated { self.headers[.wwwAuthenticate] = "Bearer realm=\"moorage\"" }
    }

    static func methodNotAllowed(_ method: HTTPRequest.Method, allowed: [HTTPRequest.Method]) -> Problem {
        let names = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        return Problem(
            MoorError(.invalid, "\(method.rawValue) is not possible here", hint: "use \(names)"), status: .methodNotAllowed,
            headers: [.allow: names])
    }

    static let unsupportedMediaType = Problem(
        MoorError(.invalid, "the request's body must be JSON", hint: "send “Content-Type: application/json”"),
        status: .unsupportedMediaType)

    static let bodyTooLarge = Problem(
        MoorError(.invalid, "the request's body is larger than 1 MiB", hint: "send less at once"), status: .contentTooLarge)

    /// Its members, the same in a response and as the last line of a stream.
    static let shape = Shape<MoorError>(
        "Error",
        [
            .init("code", .named("ErrorCode"), "What kind of failure this is") { .string($0.code.rawValue) },
            .init("message", .string(), "What went wrong") { .string($0.message) },
            .init("hint", .nullable(.string()), "What to do next") { JSON($0.hint) },
            .init("detail", .nullable(.string()), "More to read, such as a replica's last log lines; may hold newlines") {
                JSON($0.detail.isEmpty ? nil : $0.detail.joined(separator: "\n"))
            },
        ])

    /// The members of a problem details object (RFC 9457 section 3.1); `title` is the message.
    static let documentShape = Shape<Problem>(
        "Problem",
        [
            .init("type", .string(format: "uri"), "urn:moorage:error: followed by the code") {
                .string("urn:moorage:error:\($0.error.code.rawValue)")
            },
            .init("status", .integer(400...599), "The HTTP status") { .integer($0.status.code) },
            .init("code", .named("ErrorCode"), "What kind of failure this is") { .string($0.error.code.rawValue) },
            .init("title", .string(), "What went wrong") { .string($0.error.message) },
            .init("hint", .nullable(.string()), "What to do next") { JSON($0.error.hint) },
            .init("detail", .nullable(.string()), "More to read, such as a replica's last log lines; may hold newlines") {
                JSON($0.error.detail.isEmpty ? nil : $0.error.detail.joined(separator: "\n"))
            },
        ])
}
