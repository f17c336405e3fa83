import Foundation
import HTTPTypes
import Hummingbird
import Models
import NIOCore

/// One request, its parts taken out and checked.
struct Call: Sendable {
    var request: Request
    /// The parameters of the path, decoded.
    var parameters: [String: String]
    var query: [String: String]
    /// As the route's schema has it; null for a route without a body.
    var body: JSON
    /// The client's address, for the sign-in limit.
    var address: String

    static let bodyLimit = 1 << 20

    /// - Throws: `invalid` naming what is wrong with query or body.
    static func reading(_ request: Request, _ context: BasicRequestContext, for route: Route) async throws -> Call {
        let parameters = try parameters(of: route, context)
        let query = try query(of: request, for: route)
        var request = request
        let body = try await body(of: &request, for: route)
        return Call(request: request, parameters: parameters, query: query, body: body, address: address(of: request.headers))
    }

    /// The address that the gateway put last into `X-Forwarded-For`; whatever stands before it came from the client.
    static func address(of headers: HTTPFields) -> String {
        let last = headers[values: .forwardedFor].last?.split(separator: ",").last
        return last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "local"
    }

    private static func parameters(of route: Route, _ context: BasicRequestContext) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in route.parameters {
            let value = try context.parameters.require(name)
            guard let decoded = value.removingPercentEncoding else { throw MoorError(.invalid, "the path is not valid percent-encoding") }
            found[name] = decoded
        }
        return found
    }

    private static func query(of request: Request, for route: Route) throws(MoorError) -> [String: String] {
        var found: [String: String] = [:]
        for (key, value) in request.uri.queryParameters {
            guard let field = route.query.first(where: { $0.name == key }) else {
                let known = route.query.map(\.name).joined(separator: ", ")
                throw MoorError(
                    .invalid, "“\(key.prefix(80))” is not a parameter here",
                    hint: known.isEmpty ? "leave it out" : "the parameters are \(known)")
            }
            // A query carries text only; what it stands for follows from the schema.
            let json: JSON =
                switch field.schema {
                case .integer: Int(value).map { .integer($0) } ?? .string(String(value))
                case .boolean: ["true": true, "false": false][String(value)] ?? .string(String(value))
                default: .string(String(value))
                }
            try field.schema.check(json, key: field.name)
            found[field.name] = String(value)
        }
        return found
    }

    private static func body(of request: inout Request, for route: Route) async throws -> JSON {
        guard let schema = route.body else { return .null }
        // Forms of other sites cannot send this type without the browser asking first, which the API never allows.
        let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        guard type == "application/json" else { throw Problem.unsupportedMediaType }
        let buffer: ByteBuffer
        do { buffer = try await request.collectBody(upTo: bodyLimit) } catch is NIOTooManyBytesError { throw Problem.bodyTooLarge }
        let json: JSON
        do {
            json = try JSONDecoder().decode(JSON.self, from: Data(buffer.readableBytesView))
        } catch {
            throw MoorError(.invalid, "the request's body is not JSON", hint: "see \(APIController.prefix)/openapi.json")
        }
        try schema.check(json)
        return json
    }
}

extension HTTPField.Name {
    static let forwardedFor = HTTPField.Name("X-Forwarded-For")!
}
