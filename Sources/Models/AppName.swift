/// An app's name: one DNS label (RFC 1035 section 2.3.1) of at most 40 lower-case letters, digits and hyphens, starting with a letter.
///
/// 40 rather than 63 leaves room for the names made from it (containers, networks, image tags).
package struct AppName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible, Comparable {
    package let rawValue: String

    /// Names that would shadow the platform's own hosts and paths.
    package static let reserved: Set<String> = [
        "admin", "api", "app", "apps", "auth", "git", "localhost", "login", "logout", "moor", "moorage", "panel", "signin",
        "static", "status", "www",
    ]

    package init?(rawValue: String) {
        guard let name = try? AppName(validating: rawValue) else { return nil }
        self = name
    }

    /// - Throws: `invalid` with what is wrong with the name.
    package init(validating name: String) throws(MoorError) {
        let hint = "use at most 40 lower-case letters, digits and hyphens, starting with a letter, such as sales-2"
        let bytes = Array(name.utf8)
        func isLetter(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7A }
        func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 40, isLetter(first), last != 0x2D,
            bytes.allSatisfy({ isLetter($0) || isDigit($0) || $0 == 0x2D })
        else {
            throw MoorError(.invalid, "“\(name.prefix(60).filter { !$0.isNewline })” cannot be an app's name", hint: hint)
        }
        guard !Self.reserved.contains(name) else {
            throw MoorError(.invalid, "the name “\(name)” is reserved for the platform", hint: "choose another name")
        }
        rawValue = name
    }

    package var description: String { rawValue }
    package static func < (a: AppName, b: AppName) -> Bool { a.rawValue < b.rawValue }

    package init(from decoder: any Decoder) throws {
        try self.init(validating: decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
