import CZlib

/// Inflates a gzip stream (RFC 1952) piece by piece.
///
/// Not Sendable: one task feeds it.
@safe struct Inflater: ~Copyable {
    struct Malformed: Error {}
    private static let pieceSize = 64 << 10

    /// On the heap, for zlib's state points back at it.
    private let stream: UnsafeMutablePointer<z_stream>
    private var isFinished = false

    init() throws {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // SAFETY: a zeroed stream is what inflateInit2 takes; 16 + 15 means gzip with the largest window.
        guard unsafe inflateInit2_(stream, 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe stream.deallocate()
            throw Malformed()
        }
    }

    deinit {
        // SAFETY: initialised in init, ended once.
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Hands what `input` inflates to on to `output`, in pieces of at most 64 KiB.
    mutating func inflate(_ input: [UInt8], _ output: ([UInt8]) async throws -> Void) async throws {
        var consumed = 0
        while consumed < input.count {
            guard !isFinished else { throw Malformed() }
            let (piece, used, status) = step(input[consumed...])
            consumed += used
            guard status == Z_OK || status == Z_STREAM_END || (status == Z_BUF_ERROR && !piece.isEmpty) else { throw Malformed() }
            isFinished = status == Z_STREAM_END
            if !piece.isEmpty { try await output(piece) }
        }
    }

    /// - Throws: where the stream broke off.
    func finish() throws { if !isFinished { throw Malformed() } }

    private mutating func step(_ input: ArraySlice<UInt8>) -> (piece: [UInt8], used: Int, status: Int32) {
        var input = input
        var used = 0
        var status = Z_OK
        // SAFETY: zlib reads and writes within the two buffers, which outlive the call; its pointers are not used after.
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, written in
            unsafe input.withUnsafeMutableBufferPointer { source in
                unsafe stream.pointee.next_in = source.baseAddress
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = buffer.baseAddress
                unsafe stream.pointee.avail_out = UInt32(Self.pieceSize)
                status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                used = unsafe source.count - Int(stream.pointee.avail_in)
                written = unsafe Self.pieceSize - Int(stream.pointee.avail_out)
            }
        }
        return (piece, used, status)
    }
}
