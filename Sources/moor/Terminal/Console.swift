import ArgumentParser
import Foundation
import Models

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The terminal, or whatever stands in its place.
enum Console {
    /// Whether standard output is a terminal.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Colour only where a person looks, and not against their wish (no-color.org).
    static var hasColour: Bool {
        let environment = ProcessInfo.processInfo.environment
        return isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    /// The terminal's width; nil where output goes elsewhere.
    static var width: Int? {
        guard isTerminal else { return nil }
        var size = winsize()
        // ioctl fills the structure that it is handed, and keeps nothing of it.
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// To standard output, at once.
    static func line(_ text: String) throws { try write(Data(text.utf8)) }

    /// To standard output with a newline, at once.
    /// - Throws: the exit code of a program that wrote to a closed pipe, where nobody reads any more.
    static func write(_ line: Data) throws {
        do { try FileHandle.standardOutput.write(contentsOf: line + Data("\n".utf8)) } catch { throw ExitCode(128 + SIGPIPE) }
    }

    /// What the API said, as it is.
    static func json(_ data: Data) throws {
        try write(data.last == UInt8(ascii: "\n") ? data.dropLast() : data)
    }

    /// To standard error.
    static func note(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }

    /// Message, detail and hint, to standard error.
    static func complain(_ error: MoorError) {
        let red = isatty(STDERR_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
        let label = red ? "\u{1B}[31merror:\u{1B}[0m" : "error:"
        note("\(label) " + error.lines.map(\.printable).joined(separator: "\n"))
    }
}

extension String {
    /// Without control characters: what people name things must not steer the terminal.
    var printable: String {
        String(
            unicodeScalars.map { scalar -> Character in
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator: " "
                default: Character(scalar)
                }
            })
    }
}
