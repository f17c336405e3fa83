/// Text from people as header field values (RFC 9110 section 5.5). Whatever a name holds, the value is visible ASCII on
/// one line, and no two texts give the same value.
enum FieldValue {
    /// Visible ASCII and inner spaces as they are; `%` and every other byte of the UTF-8 as `%XX` (RFC 3986 section
    /// 2.1), so that plain names stay plain and a reader can undo it with any URL decoder.
    static func text(_ text: String) -> String { encode(text, also: []) }

    /// Comma-joined, as oauth2-proxy and ShinyProxy do; a comma inside an element is encoded.
    static func list(_ elements: [String]) -> String { elements.map { encode($0, also: [0x2C]) }.joined(separator: ",") }

    private static func encode(_ text: String, also extra: Set<UInt8>) -> String {
        let bytes = Array(text.utf8)
        var value = ""
        for (index, byte) in bytes.enumerated() {
            let isInnerSpace = byte == 0x20 && index > 0 && index < bytes.count - 1
            if isInnerSpace || ((0x21...0x7E).contains(byte) && byte != 0x25 && !extra.contains(byte)) {
                value.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                value += "%" + (hex.count == 1 ? "0" + hex : hex)
            }
        }
        return value
    }
}
