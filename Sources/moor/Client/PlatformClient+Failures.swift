import AsyncHTTPClient
import Foundation
import Models
import NIOCore
import NIOHTTP1

extension PlatformClient {
    /// Problem details (RFC 9457), or a line of a stream that says the same.
    struct Told: Decodable {
        var code: String
        var title: String?
        var message: String?
        var hint: String?
        var detail: String?

        var error: MoorError {
            MoorError(
                MoorError.Code(rawValue: code) ?? .internalError, title ?? message ?? "it failed", hint: hint,
                detail: detail?.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) ?? [])
        }
    }

    /// What a response that is not a success says.
    func failure(_ response: HTTPClientResponse) async -> MoorError {
        if let body = try? await response.body.collect(upTo: 1 << 20),
            let told = try? JSONDecoder().decode(Told.self, from: Data(body.readableBytesView))
        {
            var error = told.error
            if error.code == .unauthenticated, token != nil { error.hint = "moor login \(origin)" }
            return error
        }
        return MoorError(
            .unavailable, "\(origin) answered \(response.status.code) without a reason",
            hint: "is it a Moorage platform, and running?")
    }

    /// The token is for this origin, and what was asked for may not be what another one does; so the person decides.
    func redirected(_ response: HTTPClientResponse) -> MoorError {
        let target = response.headers.first(name: "Location").flatMap { URLComponents(string: $0) }.flatMap { Origin($0) }
        guard let target, target != origin else {
            return MoorError(.unavailable, "\(origin) sends elsewhere instead of answering", hint: "is it a Moorage platform?")
        }
        return MoorError(.unavailable, "\(origin) sends on to \(target)", hint: "if that is your platform: moor login \(target)")
    }

    /// What the network says, in the person's words.
    func unreachable(_ error: any Error) -> MoorError {
        if let error = error as? MoorError { return error }
        if error is CancellationError { return MoorError(.cancelled, "cancelled") }
        let hint = "is the platform running, and the URL right?"
        return switch error as? HTTPClientError {
        case .connectTimeout?: MoorError(.unavailable, "\(origin) does not answer", hint: hint, cause: error)
        case .readTimeout?, .deadlineExceeded?:
            MoorError(.timedOut, "\(origin) has been silent for \(patience.components.seconds) seconds", hint: "try again", cause: error)
        case .remoteConnectionClosed?:
            MoorError(.unavailable, "\(origin) closed the connection", hint: "try again", cause: error)
        case .cancelled?: MoorError(.cancelled, "cancelled")
        default: MoorError(.unavailable, "\(origin) cannot be reached", hint: hint, detail: Self.reason(error), cause: error)
        }
    }

    private static func reason(_ error: any Error) -> [String] {
        // The certificate is the one thing that people can do something about.
        let text = String(describing: error)
        return text.contains("CERTIFICATE_VERIFY_FAILED") ? ["its certificate is not trusted on this machine"] : []
    }
}
