/// The one error people see: what went wrong in their words, and what to do next.
///
/// The three edges (HTTP, git sideband, command line) render it; nothing else turns an error into text for people.
package struct MoorError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure this is; the HTTP edge maps it to a status, the command line to an exit code.
    package enum Code: String, Sendable, Codable, CaseIterable {
        /// The request is malformed or a value is not allowed (400).
        case invalid
        /// Nobody is signed in, or the credentials are wrong (401).
        case unauthenticated
        /// Signed in, but not allowed (403).
        case forbidden
        /// No such thing, or not for this viewer to know about (404).
        case notFound
        /// The state of things does not allow it now (409).
        case conflict
        /// Too much, too fast (429).
        case rateLimited
        /// The app's own content makes it fail: it does not build, does not start, does not answer (422).
        case appFailed
        /// Something the platform needs is down or full (503).
        case unavailable
        /// It took longer than its limit (504).
        case timedOut
        /// The work was cancelled by whoever asked for it (499 as nginx writes it).
        case cancelled
        /// A defect of the platform (500).
        case internalError

        /// The HTTP status that this code is rendered as (RFC 9110 section 15).
        package var httpStatus: Int {
            switch self {
            case .invalid: 400
            case .unauthenticated: 401
            case .forbidden: 403
            case .notFound: 404
            case .conflict: 409
            case .rateLimited: 429
            case .appFailed: 422
            case .unavailable: 503
            case .timedOut: 504
            case .cancelled: 499
            case .internalError: 500
            }
        }
    }

    package var code: Code
    /// What went wrong, one sentence without a trailing stop needed; never holds a secret.
    package var message: String
    /// What to do next; nil only where there is nothing a person could do.
    package var hint: String?
    /// More for the reader, such as the last log lines of a replica; printed after message and hint.
    package var detail: [String]
    /// For `rateLimited`: after how many seconds a try may succeed (RFC 9110 section 10.2.3).
    package var retryAfterSeconds: Int?
    /// The technical cause, for the platform's log alone.
    package var cause: String?

    package init(_ code: Code, _ message: String, hint: String? = nil, detail: [String] = [], cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
        self.cause = cause.map { String(reflecting: $0) }
    }

    package var description: String { lines.joined(separator: "\n") }

    /// Message, detail and hint as the lines a terminal shows.
    package var lines: [String] {
        [message] + detail.map { "    \($0)" } + (hint.map { ["hint: \($0)"] } ?? [])
    }

    /// Any error as one for people: a `MoorError` as it is, cancellation as `cancelled`, the rest as `internalError`.
    package static func wrapping(_ error: any Error, _ message: String = "something went wrong on the platform") -> MoorError {
        switch error {
        case let error as MoorError: error
        case is CancellationError: MoorError(.cancelled, "cancelled")
        default: MoorError(.internalError, message, hint: "the platform's log has the cause", cause: error)
        }
    }
}
