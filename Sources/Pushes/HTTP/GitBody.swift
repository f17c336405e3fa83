import Hummingbird
import NIOCore

/// A request's body on its way to git.
struct GitBody: Sendable {
    enum Failure: Error { case tooLarge }

    /// Fires when the client has hung up.
    let hungUp: Signal
    private let body: RequestBody
    private let isCompressed: Bool

    init(_ body: RequestBody, isCompressed: Bool, hungUp: Signal) {
        self.body = body
        self.isCompressed = isCompressed
        self.hungUp = hungUp
    }

    /// A copy in one piece; the view's would be made byte by byte.
    private static func bytes(_ buffer: ByteBuffer) -> [UInt8] {
        buffer.getBytes(at: buffer.readerIndex, length: buffer.readableBytes) ?? []
    }

    /// Hands the body on, inflated where it is compressed.
    /// - Parameter limit: bytes of it, inflated.
    func read(limit: Int64, _ consume: ([UInt8]) async throws -> Void) async throws {
        var total: Int64 = 0
        func pass(_ bytes: [UInt8]) async throws {
            total += Int64(bytes.count)
            guard total <= limit else { throw Failure.tooLarge }
            try await consume(bytes)
        }
        if isCompressed {
            var inflater = try Inflater()
            for try await buffer in body { try await inflater.inflate(Self.bytes(buffer), pass) }
            try Task.checkCancellation()
            try inflater.finish()
        } else {
            for try await buffer in body { try await pass(Self.bytes(buffer)) }
            try Task.checkCancellation()
        }
    }
}
