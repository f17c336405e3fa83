import AsyncHTTPClient
import Foundation
import Models
import NIOCore
import NIOHTTP1

/// The JSON API of one platform.
struct PlatformClient: Sendable {
    let origin: Origin
    let token: String?
    let http: HTTPClient
    let patience: Duration

    /// Above the 15 seconds between a stream's blank lines.
    static let usualPatience = Duration.seconds(45)
    /// For what answers only when replicas are ready or gone.
    static let longPatience = Duration.seconds(900)

    /// - Parameter patience: for how long the platform may be silent.
    static func with<T>(
        _ origin: Origin, token: String?, patience: Duration = usualPatience, _ body: (PlatformClient) async throws -> T
    ) async throws -> T {
        if origin.isExposed { Console.note("warning: \(origin) is not encrypted; your password or token can be read on the way") }
        // Redirects are looked at here, not followed blindly: the token belongs to one origin.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(5), read: .nanoseconds(patience.nanoseconds))
        return try await HTTPClient.withHTTPClient(configuration: configuration) { http in
            try await body(PlatformClient(origin: origin, token: token, http: http, patience: patience))
        }
    }

    /// - Parameters:
    ///   - path: the segments below `/api/v1`, as they are.
    ///   - body: what is sent as JSON.
    /// - Throws: what the platform says, or `unavailable` where it does not.
    func send(
        _ method: Method, _ path: [String], query: [String: String] = [:], body: (any Encodable & Sendable)? = nil
    ) async throws(MoorError) -> Data {
        let response = try await response(method, path, query: query, body: body)
        do {
            return Data(try await response.body.collect(upTo: 64 << 20).readableBytesView)
        } catch {
            throw unreachable(error)
        }
    }

    /// What was asked for, as a value.
    func get<T: Decodable>(_ type: T.Type, _ path: [String], query: [String: String] = [:]) async throws(MoorError) -> T {
        try decode(type, try await send(.get, path, query: query))
    }

    func decode<T: Decodable>(_ type: T.Type, _ data: Data) throws(MoorError) -> T {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do { return try decoder.decode(type, from: data) } catch {
            throw MoorError(
                .unavailable, "\(origin) did not answer as a platform of this version does",
                hint: "is it Moorage, and as new as this moor (\(Moor.version))?", cause: error)
        }
    }

    /// The head has come and says that it went well.
    func response(
        _ method: Method, _ path: [String], query: [String: String] = [:], body: (any Encodable & Sendable)? = nil
    ) async throws(MoorError) -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url(path, query))
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "moor/\(Moor.version)")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let response: HTTPClientResponse
        do {
            if let body {
                request.headers.add(name: "Content-Type", value: "application/json")
                request.body = .bytes(try JSONEncoder().encode(body))
            }
            response = try await http.execute(request, deadline: .now() + .nanoseconds(patience.nanoseconds))
        } catch {
            throw unreachable(error)
        }
        if (200..<300).contains(response.status.code) { return response }
        if (300..<400).contains(response.status.code) { throw redirected(response) }
        throw await failure(response)
    }

    private func url(_ path: [String], _ query: [String: String]) -> String {
        // What may stand in a segment without being taken for a delimiter (RFC 3986 section 2.3).
        let unreserved = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        func encoded(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "" }
        let pairs = query.sorted { $0.key < $1.key }.map { "\(encoded($0.key))=\(encoded($0.value))" }
        return "\(origin)/api/v1/" + path.map(encoded).joined(separator: "/") + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
