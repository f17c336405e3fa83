/// Python's lexical structure (Language Reference, section 2) as far as imports and assignments need it: comments, strings
/// of every kind, continued lines and brackets are understood, nothing is run.
///
/// One pass over the bytes, whatever they are; text that is not Python gives tokens without meaning, and no error.
struct PythonTokens {
    enum Token: Equatable {
        case name(String)
        /// A string, or strings in a row, whatever they hold.
        case string
        case number
        /// Any other byte: operators, brackets, separators.
        case mark(UInt8)
    }

    /// A line as Python counts them: several lines of text where brackets or backslashes join them, one of several where
    /// semicolons part them.
    struct Statement {
        /// Begins in the first column and is no continuation of an indented one.
        var isAtModuleLevel: Bool
        var tokens: [Token]
    }

    /// More tokens of one statement are dropped: only data is that long.
    private static let longest = 4096

    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0
    private var indent = 0
    private var tokens: [Token] = []
    private var statements: [Statement] = []

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func statements(of bytes: [UInt8]) -> [Statement] {
        var reader = PythonTokens(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.at = 3 }
        reader.read()
        return reader.statements
    }

    private mutating func read() {
        var isLineStart = true
        while at < bytes.count {
            let byte = bytes[at]
            if isLineStart {
                indent = 0
                while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x09 || bytes[at] == 0x0C {
                    indent += bytes[at] == 0x0C ? 0 : 1
                    at += 1
                }
                isLineStart = false
                continue
            }
            switch byte {
            case 0x0A, 0x0D:
                at += 1
                if depth == 0 {
                    end()
                    isLineStart = true
                }
            case UInt8(ascii: "#"):
                while at < bytes.count, bytes[at] != 0x0A, bytes[at] != 0x0D { at += 1 }
            case UInt8(ascii: "\\"):
                at += 1
                if at < bytes.count, bytes[at] == 0x0D { at += 1 }
                if at < bytes.count, bytes[at] == 0x0A { at += 1 }
            case 0x20, 0x09, 0x0C:
                at += 1
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                at = PythonString.end(in: bytes, from: at, isFormat: false)
                add(.string)
            case UInt8(ascii: ";") where depth == 0:
                at += 1
                end()
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                while at < bytes.count, Self.isNamePart(bytes[at]) || bytes[at] == UInt8(ascii: ".") { at += 1 }
                add(.number)
            case _ where Self.isNamePart(byte):
                readName()
            default:
                if "([{".utf8.contains(byte) { depth += 1 }
                if ")]}".utf8.contains(byte) { depth = max(0, depth - 1) }
                add(.mark(byte))
                at += 1
            }
        }
        end()
    }

    private mutating func readName() {
        let start = at
        while at < bytes.count, Self.isNamePart(bytes[at]) { at += 1 }
        let isQuoted = at < bytes.count && (bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'"))
        if isQuoted, at - start <= 2, bytes[start..<at].allSatisfy({ "rRbBuUfFtT".utf8.contains($0) }) {
            let isFormat = bytes[start..<at].contains { "fFtT".utf8.contains($0) }
            at = PythonString.end(in: bytes, from: at, isFormat: isFormat)
            add(.string)
        } else {
            add(.name(String(decoding: bytes[start..<at], as: UTF8.self)))
        }
    }

    private mutating func add(_ token: Token) { if tokens.count < Self.longest { tokens.append(token) } }

    private mutating func end() {
        if !tokens.isEmpty { statements.append(Statement(isAtModuleLevel: indent == 0, tokens: tokens)) }
        tokens.removeAll(keepingCapacity: true)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F || byte >= 0x80
    }
}

/// Where a string literal ends (Language Reference, sections 2.4.1 and 2.4.3; nested quotes as PEP 701 allows them).
enum PythonString {
    private enum Part {
        case text(quote: UInt8, isTriple: Bool, isFormat: Bool)
        /// A replacement field; `brackets` are open in it.
        case field(brackets: Int)
        /// What follows the colon of a field.
        case format
    }

    /// Deeper nesting ends the string at the line's end.
    private static let deepest = 32

    /// - Parameter start: where the first quote is.
    /// - Returns: the index after the last quote; of the line's end where there is none.
    static func end(in bytes: [UInt8], from start: Int, isFormat: Bool) -> Int {
        var at = start
        var parts: [Part] = []
        func opens(_ isFormat: Bool) -> Part {
            let quote = bytes[at]
            let isTriple = at + 2 < bytes.count && bytes[at + 1] == quote && bytes[at + 2] == quote
            at += isTriple ? 3 : 1
            return .text(quote: quote, isTriple: isTriple, isFormat: isFormat)
        }
        parts.append(opens(isFormat))
        guard case .text(_, let mayBreak, _) = parts[0] else { return at }
        while at < bytes.count, let part = parts.last {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\\") {
                at += at + 2 < bytes.count && bytes[at + 1] == 0x0D && bytes[at + 2] == 0x0A ? 3 : 2
                continue
            }
            if (byte == 0x0A || byte == 0x0D) && !mayBreak { return at }
            switch part {
            case .text(let quote, let isTriple, let isFormat):
                if byte == quote {
                    let isEnd = !isTriple || (at + 2 < bytes.count && bytes[at + 1] == quote && bytes[at + 2] == quote)
                    at += isEnd && isTriple ? 3 : 1
                    if isEnd { parts.removeLast() }
                    if parts.isEmpty { return at }
                    continue
                }
                if isFormat, byte == UInt8(ascii: "{") {
                    at += 1
                    if at < bytes.count, bytes[at] == UInt8(ascii: "{") { at += 1 } else { parts.append(.field(brackets: 0)) }
                    continue
                }
                at += 1
            case .field(let brackets):
                let last = parts.count - 1
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "'"):
                    let isFormat = at > 0 && "fFtT".utf8.contains(bytes[at - 1])
                    parts.append(opens(isFormat))
                    continue
                case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): parts[last] = .field(brackets: brackets + 1)
                case UInt8(ascii: "}") where brackets == 0: parts.removeLast()
                case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): parts[last] = .field(brackets: max(0, brackets - 1))
                case UInt8(ascii: ":") where brackets == 0: parts[last] = .format
                default: break
                }
                at += 1
            case .format:
                if byte == UInt8(ascii: "{") { parts.append(.field(brackets: 0)) }
                if byte == UInt8(ascii: "}") { parts.removeLast() }
                at += 1
            }
            if parts.count > deepest { break }
        }
        // Nothing ended it: the next line is looked at as code again.
        while at < bytes.count, bytes[at] != 0x0A { at += 1 }
        return min(at, bytes.count)
    }
}
