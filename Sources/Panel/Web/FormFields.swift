/// The fields of a query or a form body (WHATWG URL, section 5: application/x-www-form-urlencoded). Of several fields of
/// one name the first counts.
struct FormFields: Sendable {
    private var fields: [String: String] = [:]

    init(query: String?) {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.decode(parts[0])
            if fields[name] == nil { fields[name] = parts.count == 2 ? Self.decode(parts[1]) : "" }
        }
    }

    subscript(_ name: String) -> String? { fields[name] }

    /// The value without white space around it; empty where there is none.
    func text(_ name: String) -> String {
        let value = (fields[name] ?? "").drop { $0.isWhitespace }
        return String(value.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// Every field whose name starts with `prefix`, which is left out of the keys.
    func group(_ prefix: String) -> [String: String] {
        var group: [String: String] = [:]
        for (name, value) in fields where name.hasPrefix(prefix) { group[String(name.dropFirst(prefix.count))] = value }
        return group
    }

    /// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                result += "%" + (hex.count == 1 ? "0" + hex : hex)
            }
        }
        return result
    }

    private static func decode(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        var index = 0
        func digit(_ at: Int) -> UInt8? { at < bytes.count ? Character(Unicode.Scalar(bytes[at])).hexDigitValue.map(UInt8.init) : nil }
        while index < bytes.count {
            if bytes[index] == 0x25, let high = digit(index + 1), let low = digit(index + 2) {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index] == 0x2B ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
