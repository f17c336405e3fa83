/// What a buildpack's own script says to people where it fails: a line "moor-error: …" with what is wrong, and one
/// "moor-hint: …" with what to do. The last of each counts.
struct PackFailure: Sendable, Hashable {
    var message: String?
    var hint: String?

    /// - Returns: whether the line is one of these, and so not for the log as it is.
    mutating func take(_ line: String) -> Bool {
        if line.hasPrefix("moor-error: ") {
            message = String(line.dropFirst("moor-error: ".count))
        } else if line.hasPrefix("moor-hint: ") {
            hint = String(line.dropFirst("moor-hint: ".count))
        } else {
            return false
        }
        return true
    }
}
