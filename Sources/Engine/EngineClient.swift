package import AsyncHTTPClient
import Foundation
package import Models
import NIOCore
import NIOFoundationCompat
package import NIOHTTP1

/// A client of the Docker Engine API (v1.41), which Podman serves too, over a Unix socket.
///
/// Every call has a deadline. An engine that cannot be reached is `unavailable`; what the engine refuses is an
/// `EngineRefusal` inside, turned into a `MoorError` by the caller who knows what was being done.
package struct EngineClient: Sendable {
    package let socketPath: String
    private let http: HTTPClient
    private let base: String

    /// - Parameter http: shared; shut down by whoever made it.
    package init(socketPath: String, http: HTTPClient) {
        self.socketPath = socketPath
        self.http = http
        let host = socketPath.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? socketPath
        base = "http+unix://\(host)"
    }

    /// What the engine said where its status is not a success.
    package struct Refusal: Error, Sendable, CustomStringConvertible {
        package var status: Int
        package var message: String
        package var description: String { "engine answered \(status): \(message)" }
    }

    /// A request's answer whose body is still to be read.
    package struct Response: Sendable {
        package var status: Int
        package var body: HTTPClientResponse.Body
    }

    /// Sends one request; the answer's body streams.
    /// - Parameters:
    ///   - path: with its query, percent-encoded, such as "/v1.41/containers/json?all=1".
    ///   - deadline: for the whole exchange, the body included.
    /// - Throws: `MoorError.unavailable` where the engine cannot be reached, `Refusal` for any status of 400 and above,
    ///   `CancellationError`.
    package func send(
        _ method: HTTPMethod, _ path: String, headers: HTTPHeaders = [:], body: HTTPClientRequest.Body? = nil, deadline: Duration
    ) async throws -> Response {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers = headers
        request.headers.replaceOrAdd(name: "host", value: "engine")
        request.body = body
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: .nanoseconds(Int64(deadline / .nanoseconds(1))))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try Task.checkCancellation()
            throw Self.unreachable(error)
        }
        let status = Int(response.status.code)
        guard status < 400 else {
            let data = try? await response.body.collect(upTo: 1 << 20)
            let text = data.map { String(buffer: $0) } ?? ""
            let message = (try? JSONDecoder().decode(Message.self, from: Data(text.utf8)).message) ?? text
            throw Refusal(status: status, message: String(message.prefix(2000)))
        }
        return Response(status: status, body: response.body)
    }

    /// Sends JSON and decodes JSON.
    package func call<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, json: (any Encodable)? = nil, as type: Answer.Type, deadline: Duration = .seconds(30)
    ) async throws -> Answer {
        let response = try await send(
            method, path, headers: json == nil ? [:] : ["content-type": "application/json"], body: try Self.body(json), deadline: deadline)
        return try JSONDecoder().decode(type, from: try await response.body.collect(upTo: 64 << 20))
    }

    /// Sends JSON and reads the answer away.
    package func call(_ method: HTTPMethod, _ path: String, json: (any Encodable)? = nil, deadline: Duration = .seconds(30)) async throws {
        let response = try await send(
            method, path, headers: json == nil ? [:] : ["content-type": "application/json"], body: try Self.body(json), deadline: deadline)
        for try await _ in response.body {}
    }

    /// Percent-encodes one query value or path segment.
    package static func encode(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? ""
    }

    private static func body(_ json: (any Encodable)?) throws -> HTTPClientRequest.Body? {
        try json.map { .bytes(ByteBuffer(data: try JSONEncoder().encode($0))) }
    }

    package static func unreachable(_ error: any Error) -> MoorError {
        MoorError(
            .unavailable, "the container engine does not answer",
            hint: "try again; if it stays so, the platform's admin must look at the engine", cause: error)
    }

    struct Message: Decodable { var message: String }
}

extension EngineClient {
    /// Whether an engine answers on the socket.
    package func ping() async -> Bool {
        (try? await call(.GET, "/_ping", deadline: .seconds(5))) != nil
    }
}
