import Foundation

extension Date {
    /// "3 minutes ago", "in 2 days"; the day itself when it is more than 30 days off.
    func relative(to now: Date = Date()) -> String {
        let seconds = Int(now.timeIntervalSince(self).rounded())
        guard abs(seconds) >= 5 else { return "just now" }
        guard abs(seconds) <= 30 * 86_400 else { return formatted(.iso8601.year().month().day()) }
        let units = [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)]
        let (name, length) = units.first { abs(seconds) >= $0.1 } ?? ("second", 1)
        // What is to come is rounded: a token made for 3 days expires in 3 days, not in 2.
        let count = seconds > 0 ? seconds / length : (-seconds + length / 2) / length
        let amount = "\(count) \(name)\(count == 1 ? "" : "s")"
        return seconds > 0 ? "\(amount) ago" : "in \(amount)"
    }
}
