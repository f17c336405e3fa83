/// Lines with their length before them (gitprotocol-common(5), "pkt-line Format").
enum PktLine {
    static let flush = "0000"

    static func text(_ payload: String) -> String {
        let length = String(payload.utf8.count + 4, radix: 16)
        return String(repeating: "0", count: max(0, 4 - length.count)) + length + payload
    }

    /// What makes a client stop and show the message (gitprotocol-pack(5), "ERR").
    static func error(_ message: String) -> String { text("ERR \(message.prefix(1000))\n") }

    /// The same inside the side band of a push (gitprotocol-pack(5), "Packfile Data", band 3).
    static func sideBandError(_ message: String) -> String { text("\u{3}\(message.prefix(900))\n") }
}
