/// What the hook program and the platform say to each other over the private socket: lines, so that neither side needs a
/// library.
///
///     hook → platform    "moor-hook 1", the token, the quarantine folder's path, "O option" for each push option, then the
///                        lines git gave the hook, then an empty line
///     platform → hook    "L text" to be shown, any number; then "V accept" or "V reject"
enum HookMessage {
    static let greeting = "moor-hook 1"
    static let accept = "V accept"
    static let reject = "V reject"
    static let linePrefix = "L "
    static let optionPrefix = "O "
    /// Bytes of a whole request, which bounds the refs of one push to some ten thousand.
    static let maximumBytes = 4 << 20

    static let socketVariable = "MOOR_HOOK_SOCKET"
    static let tokenVariable = "MOOR_HOOK_TOKEN"

    /// Stands in the quarantine folder's place where there is none, so that no line before the last is empty.
    static let noQuarantine = "-"

    /// The request as the platform reads it.
    struct Request: Sendable, Equatable {
        var token: String
        /// The last component of the quarantine folder's path; nil where git made none.
        var quarantine: String?
        /// As `git push --push-option` was given them.
        var options: [String] = []
        var updates: [RefUpdate]
    }

    struct Malformed: Error {}

    /// nil as long as more must come.
    static func request(from bytes: [UInt8]) throws(Malformed) -> Request? {
        guard bytes.count <= maximumBytes else { throw Malformed() }
        guard bytes.suffix(2) == [0x0A, 0x0A] else { return nil }
        let lines = bytes.dropLast(2).split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count >= 4, lines[0].elementsEqual(greeting.utf8) else { throw Malformed() }
        var updates: [RefUpdate] = []
        var options: [String] = []
        for line in lines.dropFirst(3) {
            if line.starts(with: optionPrefix.utf8) {
                options.append(String(decoding: line.dropFirst(optionPrefix.utf8.count), as: UTF8.self))
                continue
            }
            guard let update = RefUpdate(line: line) else { throw Malformed() }
            updates.append(update)
        }
        let folder = lines[2].split(separator: 0x2F).last.map { String(decoding: $0, as: UTF8.self) }
        return Request(
            token: String(decoding: lines[1], as: UTF8.self), quarantine: folder == noQuarantine ? nil : folder, options: options,
            updates: updates)
    }

    /// One line for the pusher's terminal as it goes over the socket: what would end the line or the string is taken out.
    static func line(_ text: String) -> String {
        let clean = text.unicodeScalars.filter { $0 == "\t" || $0 == "\u{1B}" || $0.properties.generalCategory != .control }
        return linePrefix + String(String.UnicodeScalarView(clean)) + "\n"
    }
}
