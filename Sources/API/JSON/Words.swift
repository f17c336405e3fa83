import Models

/// The enumerations that the API shows under their own names.
enum Words {
    static let components: [(name: String, schema: Schema)] = [
        ("ErrorCode", .word(MoorError.Code.allCases.map(\.rawValue))),
        ("PlatformRole", .word(PlatformRole.allCases.map(\.rawValue))),
        ("AppRole", .word(AppRole.allCases.map(\.rawValue))),
        ("AccessMode", .word(AccessMode.allCases.map(\.rawValue))),
    ]

    static func schema(_ name: String) -> Schema? { components.first { $0.name == name }?.schema }
}

extension RawRepresentable where RawValue == String, Self: CaseIterable {
    /// - Throws: `invalid` naming the key and the words that it takes.
    static func checked(_ text: String?, key: String) throws(MoorError) -> Self {
        guard let value = text.flatMap(Self.init(rawValue:)) else {
            throw MoorError(.invalid, "“\(key)” must be one of \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return value
    }
}
