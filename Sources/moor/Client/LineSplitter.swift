import Foundation
import Models

/// Cuts a stream of bytes into lines.
struct LineSplitter {
    private var rest = Data()
    static let limit = 4 << 20

    /// - Returns: the lines that have become whole, without their newlines.
    /// - Throws: `unavailable` for a line longer than `limit`.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(MoorError) -> [Data] {
        var lines: [Data] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(rest)
                rest = Data()
            } else {
                rest.append(byte)
            }
        }
        guard rest.count <= Self.limit else { throw MoorError(.unavailable, "the platform sent a line that is too long") }
        return lines
    }

    /// - Returns: a last line that no newline ended.
    mutating func finish() -> Data? {
        defer { rest = Data() }
        return rest.isEmpty ? nil : rest
    }
}
