/// How a word is shown (ECMA-48 select graphic rendition).
enum Style: Int, Sendable {
    case bold = 1
    case dim = 2
    case red = 31
    case green = 32
    case yellow = 33
    case blue = 34
    case magenta = 35
    case cyan = 36

    func applied(to text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }

    /// Green for what is well, yellow for what is on its way, red for what is not.
    static func forState(_ state: String) -> Style? {
        switch state {
        case "ready", "live": .green
        case "pending", "starting", "rolling", "stopping": .yellow
        case "unhealthy", "backing-off", "crash-looping", "failed": .red
        default: nil
        }
    }

    /// A colour that stays with a name.
    static func forName(_ name: String) -> Style {
        let palette: [Style] = [.cyan, .magenta, .green, .yellow, .blue]
        // Swift's own hash differs from run to run.
        let sum = name.utf8.reduce(5381) { ($0 &* 33) ^ Int($1) }
        return palette[Int(UInt(bitPattern: sum) % UInt(palette.count))]
    }
}
