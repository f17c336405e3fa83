import Foundation

/// A point in time as a page shows it: how long ago, and exactly.
struct Moment: Sendable {
    var iso: String
    var ago: String

    /// - Parameters: seconds since 1970.
    init(_ time: Double, now: Double) {
        let date = Date(timeIntervalSince1970: time)
        iso = date.formatted(.iso8601)
        let seconds = now - time
        func count(_ value: Double, _ unit: String) -> String { Int(value) == 1 ? "1 \(unit)" : "\(Int(value)) \(unit)s" }
        func span(_ seconds: Double) -> String {
            switch seconds {
            case ..<3_600: count(max(1, seconds / 60), "minute")
            case ..<86_400: count(seconds / 3_600, "hour")
            default: count(seconds / 86_400, "day")
            }
        }
        ago =
            switch seconds {
            // Upwards, so that what was given 90 days ends in 90 days and not in 89.
            case ..<(-60): "in \(span(-seconds + 59))"
            case ..<60: "just now"
            case ..<(30 * 86_400): "\(span(seconds)) ago"
            default: String(iso.prefix(10))
            }
    }
}
