import Foundation
import Models

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The terminal while its keys belong to a command elsewhere: nothing is echoed, no key is a signal (termios(3), cfmakeraw).
struct RawTerminal {
    private let before: termios

    /// Whether a person sits at both ends.
    static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    /// nil where standard output is none.
    static var size: TerminalSize? {
        var size = winsize()
        // ioctl fills the structure that it is handed, and keeps nothing of it.
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// - Throws: `unavailable` where standard input is no terminal.
    init() throws(MoorError) {
        var settings = termios()
        // Both fill or read the structure that they are handed, and keep nothing of it.
        guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else {
            throw MoorError(.unavailable, "standard input is no terminal", hint: "add --no-tty")
        }
        before = settings
        unsafe cfmakeraw(&settings)
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    /// As it was.
    func restore() {
        var settings = before
        // Reads the structure.
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }
}
