import CZlib
import Foundation
import Models

/// Bytes in zlib's format (RFC 1950), with their length before them, so that they can be taken apart in one go.
enum Deflated {
    /// More was never put in.
    static let most = 16 << 20

    static func deflate(_ plain: [UInt8]) throws(MoorError) -> Data {
        guard plain.count <= most else { throw damaged }
        var size = compressBound(uLong(plain.count))
        var packed = [UInt8](repeating: 0, count: Int(size))
        // SAFETY: zlib reads and writes within the two arrays, whose counts it is told.
        let status = unsafe compress2(&packed, &size, plain, uLong(plain.count), Z_BEST_COMPRESSION)
        guard status == Z_OK else { throw damaged }
        let length = (0..<4).map { UInt8(truncatingIfNeeded: plain.count >> (8 * $0)) }
        return Data(length + packed.prefix(Int(size)))
    }

    static func inflate(_ data: Data) throws(MoorError) -> [UInt8] {
        let bytes = [UInt8](data)
        guard bytes.count > 4 else { throw damaged }
        let count = (0..<4).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        guard count <= most else { throw damaged }
        var plain = [UInt8](repeating: 0, count: max(1, count))
        var size = uLong(count)
        let packed = Array(bytes[4...])
        // SAFETY: as above.
        guard unsafe uncompress(&plain, &size, packed, uLong(packed.count)) == Z_OK, Int(size) == count else { throw damaged }
        return Array(plain.prefix(count))
    }

    private static let damaged = MoorError(
        .unavailable, "the record of what is installed cannot be read", hint: "push again to make it anew")
}
