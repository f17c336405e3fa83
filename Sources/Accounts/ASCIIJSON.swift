/// JSON (RFC 8259) in visible ASCII alone, as a header field value must be: everything else as `\uXXXX`.
enum ASCIIJSON {
    static func string(_ text: String) -> String {
        var json = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: json += "\\\""
            case 0x5C: json += "\\\\"
            case 0x20...0x7E: json.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let hex = String(unit, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
        }
        return json + "\""
    }

    static func array(_ elements: [String]) -> String { "[" + elements.map(string).joined(separator: ",") + "]" }
}
