/// Quantities as Kubernetes writes them ("Resource Management for Pods and Containers").
enum Quantity {
    /// "500m", "0.5", "2" → thousandths of a core. nil where it is none or not above zero.
    static func cpuMillis(_ text: String) -> Int? {
        let millis: Double?
        if text.hasSuffix("m") {
            millis = plain(text.dropLast())
        } else {
            millis = plain(text[...]).map { $0 * 1000 }
        }
        guard let millis, millis >= 1, millis <= 1_000_000, millis.rounded() == millis else { return nil }
        return Int(millis)
    }

    /// "512Mi", "1Gi", "500M", "1073741824" → bytes. nil where it is none, or too little to start anything in.
    static func bytes(_ text: String) -> Int64? {
        let units: [(String, Double)] = [
            ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776), ("k", 1e3), ("M", 1e6), ("G", 1e9),
            ("T", 1e12),
        ]
        let unit = units.first { text.hasSuffix($0.0) }
        guard let number = plain(text.dropLast(unit?.0.count ?? 0)) else { return nil }
        let bytes = number * (unit?.1 ?? 1)
        guard bytes >= 6_291_456, bytes <= 1e15 else { return nil }
        return Int64(bytes)
    }

    /// "60s", "2m", or a bare number of seconds.
    static func seconds(_ text: String) -> Int? {
        let value: Double?
        if text.hasSuffix("s") {
            value = plain(text.dropLast())
        } else if text.hasSuffix("m") {
            value = plain(text.dropLast()).map { $0 * 60 }
        } else {
            value = plain(text[...])
        }
        guard let value, value >= 1, value <= 3600, value.rounded() == value else { return nil }
        return Int(value)
    }

    /// Digits with at most one point; no signs, exponents or words that `Double` would take.
    private static func plain(_ text: Substring) -> Double? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }) else { return nil }
        return Double(text)
    }
}
