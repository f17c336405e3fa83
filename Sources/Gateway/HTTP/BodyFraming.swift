/// How the end of a message's body is known (RFC 9112 section 6.3).
enum BodyFraming {
    case none
    /// Bytes still to come.
    case length(Int)
    case chunked(ChunkedDecoder)
    /// Up to the end of the connection; responses only.
    case untilClose
}

/// A body whose framing is broken; the connection cannot be used any further.
struct FramingError: Error {}

/// Finds the data in a chunked body (RFC 9112 section 7.1). Strict: sizes of at most 15 hexadecimal digits, CRLF only.
/// Extensions and trailers are read over and count against a bound.
struct ChunkedDecoder {
    private enum State { case size, `extension`, sizeLF, data, dataCR, dataLF, trailerStart, trailer, trailerLF, endLF, done }

    private var state = State.size
    private var remaining = 0
    private var digits = 0
    private var overhead = 0

    var isDone: Bool { state == .done }

    /// Moves `index` over framing.
    /// - Returns: the next data, over which `index` has moved too; nil where more bytes are needed or the body is done.
    mutating func next(_ bytes: Span<UInt8>, _ index: inout Int) throws(FramingError) -> Range<Int>? {
        while index < bytes.count, state != .done {
            if state == .data {
                let count = min(remaining, bytes.count - index)
                let data = index..<index + count
                remaining -= count
                index += count
                if remaining == 0 { state = .dataCR }
                return data
            }
            try step(bytes[index])
            index += 1
        }
        return nil
    }

    private mutating func step(_ byte: UInt8) throws(FramingError) {
        switch state {
        case .size:
            if let digit = Self.hexadecimal(byte) {
                digits += 1
                guard digits <= 15 else { throw FramingError() }
                remaining = remaining << 4 | digit
            } else if digits > 0, byte == 0x0D {
                state = .sizeLF
            } else if digits > 0, byte == 0x3B || isBlank(byte) {
                state = .extension
                try count()
            } else {
                throw FramingError()
            }
        case .extension:
            if byte == 0x0D { state = .sizeLF } else { try readOver(byte) }
        case .sizeLF:
            try expect(byte, 0x0A)
            state = remaining == 0 ? .trailerStart : .data
            digits = 0
        case .dataCR:
            try expect(byte, 0x0D)
            state = .dataLF
        case .dataLF:
            try expect(byte, 0x0A)
            state = .size
        case .trailerStart:
            if byte == 0x0D {
                state = .endLF
            } else {
                guard !isBlank(byte) else { throw FramingError() }
                state = .trailer
                try readOver(byte)
            }
        case .trailer:
            if byte == 0x0D { state = .trailerLF } else { try readOver(byte) }
        case .trailerLF:
            try expect(byte, 0x0A)
            state = .trailerStart
        case .endLF:
            try expect(byte, 0x0A)
            state = .done
        case .data, .done: break
        }
    }

    private func expect(_ byte: UInt8, _ expected: UInt8) throws(FramingError) {
        guard byte == expected else { throw FramingError() }
    }

    private mutating func readOver(_ byte: UInt8) throws(FramingError) {
        guard byte == 0x09 || (byte >= 0x20 && byte != 0x7F) else { throw FramingError() }
        try count()
    }

    /// 64 KiB in one body without any data is an attack, not an extension.
    private mutating func count() throws(FramingError) {
        overhead += 1
        guard overhead <= 65536 else { throw FramingError() }
    }

    private static func hexadecimal(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30
        case 0x41...0x46: Int(byte) - 0x37
        case 0x61...0x66: Int(byte) - 0x57
        default: nil
        }
    }
}
