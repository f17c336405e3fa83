package import NIOCore

/// Cuts a stream of bytes into lines; a line longer than the bound is given in pieces, so that memory is bounded.
package struct LineSplitter: Sendable {
    /// Bytes.
    package static let longest = 16 << 10
    private var pending: [UInt8] = []

    package init() {}

    /// - Returns: the lines that are complete now, decoded as UTF-8 with repair, without their line ends.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0A {
                lines.append(take())
            } else {
                pending.append(byte)
                if pending.count >= Self.longest { lines.append(take()) }
            }
        }
        return lines
    }

    /// The last line where it had no end.
    package mutating func finish() -> String? { pending.isEmpty ? nil : take() }

    private mutating func take() -> String {
        if pending.last == 0x0D { pending.removeLast() }
        defer { pending.removeAll(keepingCapacity: true) }
        return String(decoding: pending, as: UTF8.self)
    }
}

/// Takes the engine's multiplexed log stream apart (Docker Engine API, "Stream format" of attach): frames of an 8-byte
/// header (stream, three zero bytes, big-endian length) and that many bytes.
package struct LogFrameDecoder: Sendable {
    private var header: [UInt8] = []
    private var left = 0
    private var stream: UInt8 = 1
    private var out = LineSplitter()
    private var err = LineSplitter()

    package init() {}

    /// - Returns: the lines that are complete now, of both streams in the order they came.
    package mutating func feed(_ buffer: ByteBuffer) -> [String] {
        var lines: [String] = []
        var view = buffer.readableBytesView
        while !view.isEmpty {
            if left == 0 {
                header.append(view.removeFirst())
                guard header.count == 8 else { continue }
                stream = header[0]
                left = header[4...].reduce(0) { $0 << 8 | Int($1) }
                header.removeAll(keepingCapacity: true)
            } else {
                let part = view.prefix(left)
                left -= part.count
                lines += stream == 2 ? err.feed(part) : out.feed(part)
                view = view.dropFirst(part.count)
            }
        }
        return lines
    }

    /// What was left without a line end.
    package mutating func finish() -> [String] { [out.finish(), err.finish()].compactMap(\.self) }
}
