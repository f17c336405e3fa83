import Foundation
import Models

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Questions to the person at the terminal.
enum Prompt {
    /// What is typed up to the end of the line.
    static func ask(_ question: String, hint: String) throws -> String {
        let terminal = try Terminal(hint: hint)
        return try terminal.answer(to: question, isSecret: false)
    }

    /// What is typed, without showing it.
    static func askSecret(_ question: String, hint: String) throws -> String {
        let terminal = try Terminal(hint: hint)
        return try terminal.answer(to: question, isSecret: true)
    }

    /// All of standard input without its last newline, such as a password from another program.
    static func secretFromStandardInput(_ what: String) throws(MoorError) -> String {
        let data: Data?
        do { data = try FileHandle.standardInput.read(upToCount: 1 << 20) } catch {
            throw MoorError(.invalid, "standard input cannot be read", cause: error)
        }
        guard let data, !data.isEmpty, var text = String(data: data, encoding: .utf8) else {
            throw MoorError(.invalid, "\(what) was to come on standard input, but nothing did", hint: "such as: moor … < file")
        }
        if text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}

/// The controlling terminal, which is there even where standard input is a file.
private struct Terminal: ~Copyable {
    private let descriptor: Int32

    init(hint: String) throws(MoorError) {
        // The path is only read.
        descriptor = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw MoorError(.invalid, "there is no terminal to ask at", hint: hint) }
    }

    deinit { close(descriptor) }

    func answer(to question: String, isSecret: Bool) throws -> String {
        var before = termios()
        // The structure is filled and read within each call.
        guard unsafe tcgetattr(descriptor, &before) == 0 else { throw MoorError(.invalid, "the terminal cannot be used") }
        // Ctrl-C comes as a byte, so that the echo is on again however this ends.
        var during = before
        during.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        unsafe tcsetattr(descriptor, TCSAFLUSH, &during)
        defer { unsafe tcsetattr(descriptor, TCSAFLUSH, &before) }
        show(question)
        defer { show("\n") }
        var line = TypedLine()
        while true {
            var byte: UInt8 = 0
            // One byte into one byte.
            guard unsafe read(descriptor, &byte, 1) == 1 else { throw MoorError(.cancelled, "the terminal is gone") }
            switch line.type(byte) {
            case .more: break
            case .done: return line.text
            case .interrupted: throw Interrupted()
            case .show(let text): if !isSecret { show(text) }
            }
        }
    }

    private func show(_ text: String) {
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        try? handle.write(contentsOf: Data(text.utf8))
    }
}

/// A line as it is typed at a terminal that does no editing of its own.
struct TypedLine {
    enum Outcome: Equatable {
        case more, done, interrupted
        /// What the terminal must show for it.
        case show(String)
    }

    private var bytes: [UInt8] = []

    var text: String { String(decoding: bytes, as: UTF8.self) }

    mutating func type(_ byte: UInt8) -> Outcome {
        switch byte {
        case 0x0A, 0x0D: return .done
        case 0x03: return .interrupted
        case 0x04: return bytes.isEmpty ? .interrupted : .done
        case 0x08, 0x7F:
            guard !bytes.isEmpty else { return .more }
            // A character of several bytes goes as a whole.
            while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
            return .show("\u{8} \u{8}")
        case 0x15:
            let erased = String(repeating: "\u{8} \u{8}", count: text.count)
            bytes = []
            return .show(erased)
        case 0x00..<0x20: return .more
        default:
            bytes.append(byte)
            return byte < 0x80 ? .show(String(UnicodeScalar(byte))) : .more
        }
    }
}
