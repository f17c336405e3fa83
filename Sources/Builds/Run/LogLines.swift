import Foundation

/// Turns bytes as they come into whole lines that are safe to show: no control characters but tab, no credentials.
struct LogLines {
    /// Longer lines are broken.
    static let longest = 4096
    /// What must not be told, also where a line is broken in the middle of it.
    let mask: SecretMask
    private var pending: [UInt8] = []
    /// How many bytes of `pending` are known to be of a value.
    private var hidden = 0
    /// The count at which `pending` is broken.
    private var limit = Self.longest

    init(mask: SecretMask = SecretMask()) { self.mask = mask }

    mutating func read(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            // A progress bar's carriage return ends a line too.
            if byte == 0x0A || byte == 0x0D {
                if let line = finish() { lines.append(line) }
            } else {
                pending.append(byte)
                if pending.count >= limit { lines.append(breakOff()) }
            }
        }
        return lines
    }

    /// The last line where nothing ended it.
    mutating func finish() -> String? {
        defer {
            pending.removeAll(keepingCapacity: true)
            hidden = 0
            limit = Self.longest
        }
        return pending.isEmpty ? nil : Self.clean(mask.masked(pending, hidden: hidden))
    }

    private mutating func breakOff() -> String {
        let told: [UInt8]
        (told, pending, hidden) = mask.broken(pending, hidden: hidden)
        limit = pending.count + Self.longest
        return Self.clean(told)
    }

    private static func clean(_ bytes: some Collection<UInt8>) -> String { clean(String(decoding: bytes, as: UTF8.self)) }

    /// Takes terminal escapes (ECMA-48) and other control characters out, and user names and passwords out of URLs.
    static func clean(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var escape = 0
        for scalar in text.unicodeScalars {
            if escape == 1 {
                escape = scalar == "[" ? 2 : 0
            } else if escape == 2 {
                if (0x40...0x7E).contains(scalar.value) { escape = 0 }
            } else if scalar == "\u{1B}" {
                escape = 1
            } else if scalar == "\t" || (scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)) {
                // Directional overrides would let a line look like another.
                if !(0x202A...0x202E).contains(scalar.value), !(0x2066...0x2069).contains(scalar.value) { result.append(scalar) }
            }
        }
        return withoutCredentials(String(result))
    }

    private static func withoutCredentials(_ text: String) -> String {
        guard text.contains("://"), text.contains("@") else { return text }
        var result = ""
        var rest = text[...]
        while let scheme = rest.range(of: "://") {
            result += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { $0 != "/" && $0 != " " && $0 != "`" && $0 != "'" && $0 != "\"" }
            if let at = authority.lastIndex(of: "@") {
                result += isPlaceholder(authority[..<at]) ? String(authority[..<at]) : "***"
                rest = rest[at...]
            }
        }
        return result + rest
    }

    /// "${NAME}" or "user:${NAME}", as advice on what to write has it.
    private static func isPlaceholder(_ login: Substring) -> Bool {
        let password = login.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        return password.hasPrefix("${") && password.hasSuffix("}") && !password.dropFirst(2).contains { $0 == "$" || $0 == "{" }
            && password.count { $0 == "}" } == 1
    }
}
