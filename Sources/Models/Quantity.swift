/// Quantities as Kubernetes writes them, and times with a unit.
package enum Quantity {
    private static let byteSuffixes: [(String, Int64)] = [
        ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40), ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
    ]

    /// "512Mi" → 536870912; nil where it is not a quantity of bytes.
    package static func bytes(_ text: String) -> Int64? {
        let (suffix, factor) = byteSuffixes.first { text.hasSuffix($0.0) } ?? ("", 1)
        guard let number = decimal(text.dropLast(suffix.count)), number * Double(factor) < 1e18 else { return nil }
        return Int64(number * Double(factor))
    }

    /// Cores as thousandths: "500m" → 500, "1.5" → 1500.
    package static func millis(_ text: String) -> Int? {
        if text.hasSuffix("m") { return decimal(text.dropLast()).map { Int($0) } }
        return decimal(text[...]).map { Int(($0 * 1000).rounded()) }
    }

    /// "30s", "15m", "2h", "500ms"; a bare number is seconds.
    package static func duration(_ text: String) -> Duration? {
        for (suffix, milliseconds) in [("ms", 1.0), ("s", 1000), ("m", 60000), ("h", 3_600_000)] where text.hasSuffix(suffix) {
            return decimal(text.dropLast(suffix.count)).map { .milliseconds(Int64($0 * milliseconds)) }
        }
        return decimal(text[...]).map { .milliseconds(Int64($0 * 1000)) }
    }

    /// As people read bytes: "17 B", "1.2 MiB", "2 GiB"; rounded down, so that what is said to be free is there.
    package static func text(bytes: Int64) -> String {
        var (value, unit) = (Double(bytes), "B")
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 { (value, unit) = (value / 1024, next) }
        let tenths = Int(value * 10)
        return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }

    /// As people read cores: "1 core", "0.5 cores".
    package static func text(millis: Int) -> String {
        guard millis % 1000 != 0 else { return millis == 1000 ? "1 core" : "\(millis / 1000) cores" }
        var digits = String(1000 + abs(millis % 1000)).dropFirst()
        while digits.last == "0" { digits = digits.dropLast() }
        return "\(millis < 0 ? "-" : "")\(abs(millis) / 1000).\(digits) cores"
    }

    /// Digits with at most one point, small enough for any of the above.
    private static func decimal(_ text: Substring) -> Double? {
        guard !text.isEmpty, text.utf8.count <= 15, text.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E }) else { return nil }
        return Double(text)
    }
}
