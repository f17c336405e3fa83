import Foundation
import Hummingbird
import Models

/// What the `Authorization` field shows (RFC 9110 section 11.6.2).
enum Credentials: Sendable, Equatable {
    case none
    case bearer(String)
    case basic(username: String, password: String)

    /// - Throws: `unauthenticated` where the field is there but not of a kind that is understood.
    init(_ field: String?) throws(MoorError) {
        guard let field else {
            self = .none
            return
        }
        let parts = field.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        let value = parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        switch parts.first?.lowercased() {
        case "bearer" where !value.isEmpty:
            self = .bearer(value)
        case "basic":
            // RFC 7617 section 2: everything up to the first colon is the user name.
            guard let data = Data(base64Encoded: value), let text = String(data: data, encoding: .utf8),
                let colon = text.firstIndex(of: ":")
            else { fallthrough }
            self = .basic(username: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
        default:
            throw MoorError(
                .unauthenticated, "the Authorization field is not understood", hint: "send “Bearer” with a token, or “Basic”")
        }
    }

    func principal(by authenticator: any Authenticator, address: String) async throws(MoorError) -> Principal {
        switch self {
        case .none:
            throw MoorError(.unauthenticated, "this needs you to sign in", hint: "moor login, or send a token as “Authorization: Bearer …”")
        case .bearer(let token):
            return try await authenticator.principal(bearer: token, address: address)
        case .basic(let username, let password):
            return try await authenticator.principal(username: username, password: password, address: address)
        }
    }
}
