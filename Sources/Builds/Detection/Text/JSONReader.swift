import Foundation
import Models

/// A value of a JSON text (RFC 8259), with the line it begins on.
struct JSONNode: Sendable {
    indirect enum Value: Sendable {
        case null
        case boolean(Bool)
        /// As it is written.
        case number(String)
        case string(String)
        case array([JSONNode])
        case object([(key: String, node: JSONNode)])
    }

    var value: Value
    var line: Int

    var string: String? { if case .string(let text) = value { text } else { nil } }
    var boolean: Bool? { if case .boolean(let flag) = value { flag } else { nil } }
    var array: [JSONNode]? { if case .array(let nodes) = value { nodes } else { nil } }
    var members: [(key: String, node: JSONNode)]? { if case .object(let members) = value { members } else { nil } }

    /// The last member of that name, as most readers of JSON do.
    subscript(key: String) -> JSONNode? { members?.last { $0.key == key }?.node }
}

/// Reads JSON in one pass, telling lines, which Foundation's reader does not.
struct JSONReader {
    private struct Failure: Error { var problem: String }

    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    private static let deepest = 128

    /// - Throws: `appFailed` naming file and line.
    static func read(_ text: String, file: String) throws(MoorError) -> JSONNode {
        var reader = JSONReader(bytes: Array(text.utf8))
        do {
            let node = try reader.value(depth: 0)
            reader.skipBlank()
            guard reader.peek == nil else { throw Failure(problem: "something follows its end") }
            return node
        } catch {
            let problem = (error as? Failure)?.problem ?? "it cannot be read"
            throw MoorError(
                .appFailed, "\(file) line \(reader.line) is not JSON: \(problem)", hint: "check its commas, quotes and brackets")
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func value(depth: Int) throws -> JSONNode {
        guard depth < Self.deepest else { throw Failure(problem: "it is nested too deeply") }
        skipBlank()
        let begun = line
        func node(_ value: JSONNode.Value) -> JSONNode { JSONNode(value: value, line: begun) }
        switch peek {
        case UInt8(ascii: "{"): return node(.object(try object(depth)))
        case UInt8(ascii: "["): return node(.array(try array(depth)))
        case UInt8(ascii: "\""): return node(.string(try string()))
        case nil: throw Failure(problem: "it ends too early")
        default:
            let start = at
            while let byte = peek, (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || "+-.E".utf8.contains(byte) { at += 1 }
            let word = String(decoding: bytes[start..<at], as: UTF8.self)
            switch word {
            case "null": return node(.null)
            case "true": return node(.boolean(true))
            case "false": return node(.boolean(false))
            default:
                guard Double(word) != nil else { throw Failure(problem: "a value is expected") }
                return node(.number(word))
            }
        }
    }

    private mutating func object(_ depth: Int) throws -> [(key: String, node: JSONNode)] {
        at += 1
        var members: [(key: String, node: JSONNode)] = []
        skipBlank()
        while peek != UInt8(ascii: "}") {
            guard peek == UInt8(ascii: "\"") else { throw Failure(problem: "a name in double quotes is expected") }
            let key = try string()
            skipBlank()
            guard peek == UInt8(ascii: ":") else { throw Failure(problem: "a colon is expected after “\(key.prefix(60))”") }
            at += 1
            members.append((key, try value(depth: depth + 1)))
            skipBlank()
            guard peek == UInt8(ascii: ",") else { break }
            at += 1
            skipBlank()
            if peek == UInt8(ascii: "}") { throw Failure(problem: "a comma stands before the closing brace") }
        }
        guard peek == UInt8(ascii: "}") else { throw Failure(problem: "a comma or a closing brace is expected") }
        at += 1
        return members
    }

    private mutating func array(_ depth: Int) throws -> [JSONNode] {
        at += 1
        var nodes: [JSONNode] = []
        skipBlank()
        while peek != UInt8(ascii: "]") {
            nodes.append(try value(depth: depth + 1))
            skipBlank()
            guard peek == UInt8(ascii: ",") else { break }
            at += 1
            skipBlank()
            if peek == UInt8(ascii: "]") { throw Failure(problem: "a comma stands before the closing bracket") }
        }
        guard peek == UInt8(ascii: "]") else { throw Failure(problem: "a comma or a closing bracket is expected") }
        at += 1
        return nodes
    }

    private mutating func string() throws -> String {
        at += 1
        var text: [UInt8] = []
        while let byte = peek {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case 0x0A: throw Failure(problem: "a string does not end")
            case UInt8(ascii: "\\"):
                guard let escape = peek else { throw Failure(problem: "a string does not end") }
                at += 1
                let plain: [UInt8: UInt8] = [0x62: 8, 0x74: 9, 0x6E: 10, 0x66: 12, 0x72: 13, 0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F]
                if let character = plain[escape] {
                    text.append(character)
                } else if escape == UInt8(ascii: "u"), var code = hex() {
                    if (0xD800...0xDBFF).contains(code), peek == UInt8(ascii: "\\"), at + 1 < bytes.count, bytes[at + 1] == 0x75 {
                        at += 2
                        if let low = hex(), (0xDC00...0xDFFF).contains(low) { code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00) }
                    }
                    text += Array(String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8)
                } else {
                    throw Failure(problem: "an escape in a string is not known")
                }
            default: text.append(byte)
            }
        }
        throw Failure(problem: "a string does not end")
    }

    private mutating func hex() -> UInt32? {
        guard at + 4 <= bytes.count, let code = UInt32(String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16) else { return nil }
        at += 4
        return code
    }

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipBlank() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            if byte == 0x0A { line += 1 }
            at += 1
        }
    }
}
