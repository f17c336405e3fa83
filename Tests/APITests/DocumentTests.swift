import API
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

struct DocumentTests {
    /// The served document.
    private func document(_ client: some TestClientProtocol) async throws -> [String: Any] {
        try await client.call(.get, "/openapi.json").object
    }

    @Test func `the document and the permission table name the same endpoints`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let paths = try #require(try await document(client)["paths"] as? [String: [String: Any]])
                let documented = paths.flatMap { path, operations in operations.keys.map { "\($0.uppercased()) \(path)" } }
                #expect(documented.sorted() == Endpoint.all.map(\.testDescription).sorted())
            }
        }
    }

    @Test func `every route of the router is in the document or refuses its method`() async throws {
        try await World.run { world in
            let router = Router()
            world.controller().addRoutes(to: router)
            let routes = router.routes.map { ($0.method, "\($0.path)") }
            let application = Application(router: router)
            try await application.test(.router) { client in
                let paths = try #require(try await document(client)["paths"] as? [String: [String: Any]])
                for (method, path) in routes where !path.hasSuffix("**") {
                    let short = try #require(path.range(of: "api/v1").map { String(path[$0.upperBound...]) })
                    if paths[short]?[method.rawValue.lowercased()] == nil {
                        let answer1 = try await client.call(method, short)
                        #expect(answer1.status == .methodNotAllowed, "\(method) \(short)")
                    }
                }
                let registered = Set(routes.map { "\($0.0.rawValue) \($0.1.drop { $0 == "/" })" })
                for (path, operations) in paths {
                    for method in operations.keys {
                        #expect(registered.contains("\(method.uppercased()) api/v1\(path)"), "\(method) \(path)")
                    }
                }
            }
        }
    }

    // These two are described elsewhere.
    @Test(arguments: Endpoint.all.filter { $0.path != "/openapi.json" && !$0.path.hasSuffix("/sbom") })
    func `what is answered has the documented status and keys`(_ endpoint: Endpoint) async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let document = try await document(client)
                let operation = try #require(
                    ((document["paths"] as? [String: Any])?[endpoint.path] as? [String: Any])?[endpoint.method.rawValue.lowercased()]
                        as? [String: Any])
                let responses = try #require(operation["responses"] as? [String: [String: Any]])
                for caller in Caller.allCases {
                    let response = try await client.call(
                        endpoint.method, endpoint.path(for: caller), as: caller, body: endpoint.body(for: caller))
                    let documented = try #require(responses[String(response.status.code)], "\(caller) got \(response.status)")
                    let content = Conformance(document: document).resolved(documented)["content"] as? [String: [String: Any]]
                    guard let content else {
                        #expect(response.text.isEmpty)
                        continue
                    }
                    let type = try #require(response.headers[.contentType]?.split(separator: ";").first.map(String.init))
                    let schema = try #require(content[type]?["schema"] as? [String: Any], "\(type)")
                    for text in type == "application/x-ndjson" ? response.lines : [response.text] {
                        let value = type == "text/plain" ? text : try JSONSerialization.jsonObject(with: Data(text.utf8))
                        #expect(Conformance(document: document).faults(of: value, schema) == [], "\(caller): \(text)")
                    }
                }
            }
        }
    }

    @Test func `every reference in the document leads somewhere`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let document = try await document(client)
                let text = try await client.call(.get, "/openapi.json").text
                let references = text.matches(of: /"\$ref":"([^"]+)"/).map { String($0.1) }
                #expect(!references.isEmpty)
                for reference in Set(references) {
                    #expect(!Conformance(document: document).resolved(["$ref": reference]).isEmpty, "\(reference)")
                }
            }
        }
    }
}

/// Enough of JSON Schema to hold a value against the document, written apart from what wrote the document.
struct Conformance {
    var document: [String: Any]

    func resolved(_ schema: [String: Any]) -> [String: Any] {
        guard let reference = schema["$ref"] as? String else { return schema }
        var value: Any = document
        for part in reference.dropFirst(2).split(separator: "/") { value = (value as? [String: Any])?[String(part)] ?? [:] }
        return value as? [String: Any] ?? [:]
    }

    /// What is wrong with the value, a line each.
    func faults(of value: Any, _ schema: [String: Any], at path: String = "$") -> [String] {
        let schema = resolved(schema)
        if let choices = schema["oneOf"] as? [[String: Any]] {
            let matching = choices.filter { faults(of: value, $0, at: path).isEmpty }
            return matching.count == 1 ? [] : ["\(path) matches \(matching.count) of \(choices.count)"]
        }
        if let words = schema["enum"] as? [String] {
            return (value as? String).map(words.contains) == true ? [] : ["\(path) is no word of \(words)"]
        }
        switch schema["type"] as? String {
        case "string": return value is String ? [] : ["\(path) is no string"]
        case "integer": return value is Int ? [] : ["\(path) is no integer"]
        case "boolean": return value is Bool ? [] : ["\(path) is no boolean"]
        case "null": return value is NSNull ? [] : ["\(path) is not null"]
        case "array":
            guard let elements = value as? [Any], let items = schema["items"] as? [String: Any] else { return ["\(path) is no array"] }
            return elements.enumerated().flatMap { faults(of: $1, items, at: "\(path)[\($0)]") }
        case "object": return objectFaults(value, schema, path)
        default: return ["\(path) has no known type"]
        }
    }

    private func objectFaults(_ value: Any, _ schema: [String: Any], _ path: String) -> [String] {
        guard let members = value as? [String: Any] else { return ["\(path) is no object"] }
        if let free = schema["additionalProperties"] as? [String: Any] {
            return members.flatMap { faults(of: $1, free, at: "\(path).\($0)") }
        }
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        let missing = (schema["required"] as? [String] ?? []).filter { members[$0] == nil }.map { "\(path).\($0) is missing" }
        return missing
            + members.flatMap { key, member in
                properties[key].map { faults(of: member, $0, at: "\(path).\(key)") } ?? ["\(path).\(key) is not documented"]
            }
    }
}
