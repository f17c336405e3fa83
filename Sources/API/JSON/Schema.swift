/// The shape of a JSON value: shown in the OpenAPI document (as JSON Schema 2020-12) and checked against what clients send.
indirect enum Schema: Sendable {
    case string(format: String? = nil, length: ClosedRange<Int>? = nil)
    /// One of these words.
    case word([String])
    case integer(ClosedRange<Int>? = nil)
    case boolean
    case array(Schema)
    /// An object with free keys.
    case map(Schema)
    case object([Field])
    case nullable(Schema)
    /// A shape of the document's `components`, by name.
    case named(String)
    case either([Schema])
    /// An object that is described elsewhere.
    case anything

    /// One member of an object.
    struct Field: Sendable {
        var name: String
        var schema: Schema
        var description: String
        var isRequired: Bool

        init(_ name: String, _ schema: Schema, _ description: String, isRequired: Bool = true) {
            self.name = name
            self.schema = schema
            self.description = description
            self.isRequired = isRequired
        }
    }

    /// As the OpenAPI document writes it.
    var json: JSON {
        switch self {
        case .string(let format, let length):
            var members: [String: JSON] = ["type": "string"]
            if let format { members["format"] = .string(format) }
            if let length {
                members["minLength"] = .integer(length.lowerBound)
                members["maxLength"] = .integer(length.upperBound)
            }
            return .object(members)
        case .word(let words):
            return ["type": "string", "enum": .array(words.map { .string($0) })]
        case .integer(let range):
            var members: [String: JSON] = ["type": "integer"]
            if let range {
                members["minimum"] = .integer(range.lowerBound)
                if range.upperBound < .max { members["maximum"] = .integer(range.upperBound) }
            }
            return .object(members)
        case .boolean: return ["type": "boolean"]
        case .array(let element): return ["type": "array", "items": element.json]
        case .map(let value): return ["type": "object", "additionalProperties": value.json]
        case .object(let fields): return Self.object(fields)
        case .nullable(let schema): return ["oneOf": [schema.json, ["type": "null"]]]
        case .named(let name): return ["$ref": "#/components/schemas/\(name)"]
        case .anything: return ["type": "object"]
        case .either(let schemas): return ["oneOf": .array(schemas.map(\.json))]
        }
    }

    private static func object(_ fields: [Field]) -> JSON {
        let properties = fields.map { field in
            // A $ref may have siblings in OpenAPI 3.1 (JSON Schema 2020-12 section 8.2.3.1).
            (field.name, JSON.object(field.schema.json.members.merging(["description": .string(field.description)]) { own, _ in own }))
        }
        return [
            "type": "object",
            "properties": .object(Dictionary(properties) { _, last in last }),
            "required": .array(fields.filter(\.isRequired).map { .string($0.name) }),
            "additionalProperties": false,
        ]
    }
}
