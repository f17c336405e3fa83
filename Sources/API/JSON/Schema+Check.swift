import Models

extension Schema {
    /// Checks what a client sent.
    /// - Parameter key: where the value stands, for the message; empty for the whole body.
    /// - Throws: `invalid` naming the first key that is unknown, missing or of the wrong kind.
    func check(_ value: JSON, key: String = "") throws(MoorError) {
        switch (self, value) {
        case (.string(_, let length), .string(let text)):
            if let length, !length.contains(text.count) {
                throw Self.wrong(key, "must be \(length.lowerBound) to \(length.upperBound) characters long")
            }
        case (.word(let words), .string(let text)) where words.contains(text): break
        case (.integer(let range), .integer(let number)) where range?.contains(number) ?? true: break
        case (.boolean, .bool), (.nullable, .null): break
        case (.nullable(let schema), _): try schema.check(value, key: key)
        case (.array(let schema), .array(let elements)):
            for element in elements { try schema.check(element, key: key) }
        case (.map(let schema), .object(let members)):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) { try schema.check(member, key: Self.path(key, name)) }
        case (.object(let fields), .object(let members)):
            try Self.check(members, fields, key: key)
        case (.named(let name), _):
            // Bodies use no other named shapes than words.
            if let schema = Words.schema(name) { try schema.check(value, key: key) }
        default:
            throw Self.wrong(key, "must be \(expectation)")
        }
    }

    private static func check(_ members: [String: JSON], _ fields: [Field], key: String) throws(MoorError) {
        let known = fields.map(\.name)
        if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw MoorError(
                .invalid, "“\(path(key, unknown))” is not known here", hint: "the keys are \(known.joined(separator: ", "))")
        }
        for field in fields {
            if let member = members[field.name] {
                try field.schema.check(member, key: path(key, field.name))
            } else if field.isRequired {
                throw MoorError(.invalid, "“\(path(key, field.name))” is missing", hint: field.description)
            }
        }
    }

    private static func path(_ key: String, _ name: String) -> String {
        // What a client sent is shown back, but not at any length.
        let name = name.prefix(80).filter { !$0.isNewline }
        return key.isEmpty ? name : "\(key).\(name)"
    }

    private static func wrong(_ key: String, _ what: String) -> MoorError {
        MoorError(.invalid, key.isEmpty ? "the request's body \(what)" : "“\(key)” \(what)", hint: "see /api/v1/openapi.json")
    }

    /// "an integer from 1 to 9", for messages.
    private var expectation: String {
        switch self {
        case .string: "a string"
        case .word(let words): "one of \(words.joined(separator: ", "))"
        case .integer(let range?) where range.upperBound < .max: "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .integer(let range?): "an integer of at least \(range.lowerBound)"
        case .integer: "an integer"
        case .boolean: "true or false"
        case .array: "an array"
        case .map, .object, .named, .anything: "an object"
        case .nullable(let schema): "\(schema.expectation) or null"
        case .either(let schemas): schemas.map(\.expectation).joined(separator: " or ")
        }
    }
}
