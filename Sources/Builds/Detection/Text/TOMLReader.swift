import Foundation
import Models

/// Reads TOML 1.0 in one pass.
struct TOMLReader {
    private struct Failure: Error { var problem: String }

    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    /// Arrays within arrays are refused beyond this depth.
    private static let deepest = 64

    /// - Parameter file: for the message.
    /// - Throws: `appFailed` naming file and line.
    static func read(_ text: String, file: String) throws(MoorError) -> TOMLTable {
        var reader = TOMLReader(bytes: Array(text.utf8))
        do {
            return try reader.document()
        } catch {
            let problem = (error as? Failure)?.problem ?? "it cannot be read"
            throw MoorError(.appFailed, "\(file) line \(reader.line) is not TOML: \(problem)", hint: "check its quotes and brackets")
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    // MARK: Lines

    private mutating func document() throws -> TOMLTable {
        let root = TOMLTable()
        var current = root
        while true {
            try skipBlank()
            guard let byte = peek else { return root }
            if byte == UInt8(ascii: "[") {
                current = try header(root)
            } else {
                try pair(into: current)
            }
            skipSpaces()
            if peek == UInt8(ascii: "#") { skipComment() }
            guard peek == nil || peek == 0x0A || peek == 0x0D else { throw Failure(problem: "something follows the value") }
        }
    }

    private mutating func header(_ root: TOMLTable) throws -> TOMLTable {
        at += 1
        let isArray = peek == UInt8(ascii: "[")
        if isArray { at += 1 }
        let path = try keyPath()
        for _ in 0..<(isArray ? 2 : 1) { try expect(UInt8(ascii: "]")) }
        let parent = try descend(root, path.dropLast())
        guard let last = path.last else { throw Failure(problem: "a table has no name") }
        if isArray {
            if parent[last] == nil { parent.set(last, TOMLNode(value: .array([]), line: line)) }
            guard parent[last]?.array != nil else { throw Failure(problem: "\(last) stands there twice") }
            let table = TOMLTable()
            parent.append(TOMLNode(value: .table(table), line: line), to: last)
            return table
        }
        if let node = parent[last] {
            guard let table = node.table, !table.isNamed, !table.isClosed else { throw Failure(problem: "\(last) stands there twice") }
            table.isNamed = true
            return table
        }
        let table = TOMLTable()
        table.isNamed = true
        parent.set(last, TOMLNode(value: .table(table), line: line))
        return table
    }

    private mutating func pair(into table: TOMLTable) throws {
        let begun = line
        let path = try keyPath()
        try expect(UInt8(ascii: "="))
        let parent = try descend(table, path.dropLast())
        guard let last = path.last, parent[last] == nil, !parent.isClosed else {
            throw Failure(problem: "\(path.joined(separator: ".")) stands there twice")
        }
        var node = try value(depth: 0)
        node.line = begun
        parent.set(last, node)
    }

    /// The table at the path, made where it is missing; of an array of tables the last one.
    private func descend(_ table: TOMLTable, _ path: ArraySlice<String>) throws -> TOMLTable {
        var table = table
        for key in path {
            if let node = table[key] {
                guard let next = node.table ?? node.array?.last?.table, !next.isClosed else {
                    throw Failure(problem: "\(key) stands there twice")
                }
                table = next
            } else {
                let next = TOMLTable()
                table.set(key, TOMLNode(value: .table(next), line: line))
                table = next
            }
        }
        return table
    }

    private mutating func keyPath() throws -> [String] {
        var path: [String] = []
        repeat {
            if !path.isEmpty { at += 1 }
            skipSpaces()
            switch peek {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): path.append(try quoted())
            default:
                let start = at
                while let byte = peek, Self.isBare(byte) { at += 1 }
                guard at > start else { throw Failure(problem: "a key is expected") }
                path.append(String(decoding: bytes[start..<at], as: UTF8.self))
            }
            skipSpaces()
            guard path.count <= Self.deepest else { throw Failure(problem: "it is nested too deeply") }
        } while peek == UInt8(ascii: ".")
        return path
    }

    // MARK: Values

    private mutating func value(depth: Int) throws -> TOMLNode {
        guard depth < Self.deepest else { throw Failure(problem: "it is nested too deeply") }
        skipSpaces()
        let begun = line
        func node(_ value: TOMLNode.Value) -> TOMLNode { TOMLNode(value: value, line: begun) }
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return node(.string(try quoted()))
        case UInt8(ascii: "["): return node(.array(try array(depth)))
        case UInt8(ascii: "{"): return node(.table(try inlineTable(depth)))
        default:
            let start = at
            while let byte = peek, Self.isBare(byte) || "+.:".utf8.contains(byte) || isTimeSpace(byte) { at += 1 }
            let word = String(decoding: bytes[start..<at], as: UTF8.self)
            if word == "true" || word == "false" { return node(.boolean(word == "true")) }
            guard let first = word.utf8.first, (0x30...0x39).contains(first) || "+-in".utf8.contains(first) else {
                throw Failure(problem: "a value is expected")
            }
            return node(.other(word))
        }
    }

    /// "1979-05-27 07:32:00" has a space in it.
    private func isTimeSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 && at >= 10 && at + 1 < bytes.count && bytes[at - 3] == UInt8(ascii: "-") && (0x30...0x39).contains(bytes[at + 1])
    }

    private mutating func array(_ depth: Int) throws -> [TOMLNode] {
        at += 1
        var nodes: [TOMLNode] = []
        while true {
            try skipBlank()
            if peek == UInt8(ascii: "]") { break }
            nodes.append(try value(depth: depth + 1))
            try skipBlank()
            if peek == UInt8(ascii: ",") { at += 1 } else { break }
        }
        guard peek == UInt8(ascii: "]") else { throw Failure(problem: "a list does not end") }
        at += 1
        return nodes
    }

    private mutating func inlineTable(_ depth: Int) throws -> TOMLTable {
        at += 1
        let table = TOMLTable()
        while true {
            // TOML 1.1 allows line ends here, and uv reads them.
            try skipBlank()
            if peek == UInt8(ascii: "}") { break }
            let path = try keyPath()
            try expect(UInt8(ascii: "="))
            let parent = try descend(table, path.dropLast())
            guard let last = path.last, parent[last] == nil else { throw Failure(problem: "\(path.last ?? "") stands there twice") }
            parent.set(last, try value(depth: depth + 1))
            try skipBlank()
            if peek == UInt8(ascii: ",") { at += 1 } else { break }
        }
        guard peek == UInt8(ascii: "}") else { throw Failure(problem: "a brace does not close") }
        at += 1
        table.isClosed = true
        return table
    }

    private mutating func quoted() throws -> String {
        guard let quote = peek else { throw Failure(problem: "a string is expected") }
        let isRaw = quote == UInt8(ascii: "'")
        let isTriple = at + 2 < bytes.count && bytes[at + 1] == quote && bytes[at + 2] == quote
        at += isTriple ? 3 : 1
        if isTriple {
            if peek == 0x0D { at += 1 }
            if peek == 0x0A { newline() }
        }
        var text: [UInt8] = []
        while let byte = peek {
            if byte == quote {
                guard isTriple else {
                    at += 1
                    return String(decoding: text, as: UTF8.self)
                }
                var run = 0
                while at + run < bytes.count, bytes[at + run] == quote, run < 5 { run += 1 }
                at += run
                if run >= 3 {
                    text += [UInt8](repeating: quote, count: run - 3)
                    return String(decoding: text, as: UTF8.self)
                }
                text += [UInt8](repeating: quote, count: run)
            } else if byte == UInt8(ascii: "\\"), !isRaw {
                try escape(into: &text, isTriple)
            } else if byte == 0x0A {
                guard isTriple else { throw Failure(problem: "a string does not end") }
                text.append(byte)
                newline()
            } else {
                text.append(byte)
                at += 1
            }
        }
        throw Failure(problem: "a string does not end")
    }

    private mutating func escape(into text: inout [UInt8], _ isTriple: Bool) throws {
        at += 1
        guard let byte = peek else { throw Failure(problem: "a string does not end") }
        let plain: [UInt8: UInt8] = [0x62: 8, 0x74: 9, 0x6E: 10, 0x66: 12, 0x72: 13, 0x65: 27, 0x22: 0x22, 0x5C: 0x5C]
        if let character = plain[byte] {
            at += 1
            text.append(character)
        } else if byte == UInt8(ascii: "u") || byte == UInt8(ascii: "U") || byte == UInt8(ascii: "x") {
            let count = byte == UInt8(ascii: "u") ? 4 : byte == UInt8(ascii: "U") ? 8 : 2
            guard at + count < bytes.count,
                let code = UInt32(String(decoding: bytes[(at + 1)...(at + count)], as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(code)
            else { throw Failure(problem: "an escape in a string is not known") }
            text += Array(String(Character(scalar)).utf8)
            at += count + 1
        } else if isTriple, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            while let next = peek, next == 0x20 || next == 0x09 || next == 0x0A || next == 0x0D {
                if next == 0x0A { newline() } else { at += 1 }
            }
        } else {
            throw Failure(problem: "an escape in a string is not known")
        }
    }

    // MARK: Bytes

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func newline() {
        at += 1
        line += 1
    }

    private mutating func expect(_ byte: UInt8) throws {
        skipSpaces()
        guard peek == byte else { throw Failure(problem: "“\(Character(Unicode.Scalar(byte)))” is expected") }
        at += 1
    }

    private mutating func skipSpaces() { while peek == 0x20 || peek == 0x09 { at += 1 } }

    private mutating func skipComment() { while let byte = peek, byte != 0x0A { at += 1 } }

    private mutating func skipBlank() throws {
        while let byte = peek {
            switch byte {
            case 0x20, 0x09, 0x0D: at += 1
            case 0x0A: newline()
            case UInt8(ascii: "#"): skipComment()
            default: return
            }
        }
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F || byte == 0x2D
    }
}
