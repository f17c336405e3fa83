import Foundation
import NIOCore
import NIOFoundationCompat
import NIOPosix

extension EngineClient {
    /// Sends one POST whose connection becomes a pipe of bytes both ways (Docker Engine API, "Hijacking" of ContainerAttach),
    /// and returns when the engine ends it. async-http-client has no upgrades, so this speaks HTTP/1.1 itself.
    ///
    /// The next bytes are read when `output` returns, the next input when the last was taken: both sides are held back by
    /// the slower one.
    /// - Parameters:
    ///   - hasTerminal: whether the output comes as it is, in one stream; else in frames that tell two apart.
    ///   - input: nil to leave that direction alone; its end is passed on.
    ///   - opened: called once the engine has agreed and before anything is read.
    ///   - output: is told whether the bytes are of the standard error.
    /// - Throws: as `send`, and what `opened` or `output` throw.
    package func pipe(
        _ path: String, json: (any Encodable)? = nil, hasTerminal: Bool, input: (@Sendable () async -> [UInt8]?)?,
        opened: () async throws -> Void = {}, output: (_ isError: Bool, ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        let body = try json.map { try JSONEncoder().encode($0) } ?? Data()
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(.seconds(5))
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(unixDomainSocketPath: socketPath) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel(
                            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                    }
                }
        } catch {
            throw Self.unreachable(error)
        }
        try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(Self.upgradeRequest(path, body: body))
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                var answer = UpgradeAnswer()
                var frames = OutputFrames()
                for try await chunk in inbound {
                    let wasOpen = answer.isOpen
                    let bytes = try answer.feed(chunk)
                    guard answer.isOpen else { continue }
                    if !wasOpen {
                        if let input {
                            group.addTask {
                                // Where the command reads no more, its output still counts.
                                while let piece = await input() {
                                    guard (try? await outbound.write(ByteBuffer(bytes: piece))) != nil else { return }
                                    // The writer knows that nothing more fits only once the loop has got round to it.
                                    try await channel.channel.eventLoop.submit {}.get()
                                }
                                if !Task.isCancelled { outbound.finish() }
                            }
                        }
                        try await opened()
                    }
                    if hasTerminal {
                        if bytes.readableBytes > 0 { try await output(false, Array(bytes.readableBytesView)[...]) }
                    } else {
                        for piece in frames.read(bytes.readableBytesView) { try await output(piece.stream == 2, piece.bytes) }
                    }
                }
                try Task.checkCancellation()
                if !answer.isOpen { throw answer.refusal ?? Self.unreachable(ChannelError.eof) }
            }
        }
    }

    private static func upgradeRequest(_ path: String, body: Data) -> ByteBuffer {
        var request = ByteBuffer(
            string: """
                POST \(path) HTTP/1.1\r
                Host: engine\r
                Connection: Upgrade\r
                Upgrade: tcp\r
                Content-Type: application/json\r
                Content-Length: \(body.count)\r
                \r\n
                """)
        request.writeData(body)
        return request
    }
}

/// The answer to a request that asks for another protocol, as its bytes come (RFC 9112 section 4): Podman says 101, Docker
/// may say 200.
struct UpgradeAnswer {
    private static let limit = 64 << 10
    private static let separator = Array("\r\n\r\n".utf8)

    private(set) var isOpen = false
    private var status: Int?
    private var length = 0
    private var pending = ByteBuffer()

    /// - Returns: what belongs to the other protocol.
    /// - Throws: `Refusal` for an answer that is complete and no success.
    mutating func feed(_ bytes: ByteBuffer) throws -> ByteBuffer {
        guard !isOpen else { return bytes }
        pending.writeImmutableBuffer(bytes)
        if status == nil {
            guard let end = pending.readableBytesView.firstRange(of: Self.separator) else {
                guard pending.readableBytes < Self.limit else { throw EngineClient.unreachable(NIOTooManyBytesError(maxBytes: Self.limit)) }
                return ByteBuffer()
            }
            let head = String(decoding: pending.readableBytesView[..<end.lowerBound], as: UTF8.self)
            pending.moveReaderIndex(to: end.upperBound)
            status = head.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0.prefix(3)) } ?? 502
            let field = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            length = min(field.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0, Self.limit)
        }
        if status == 101 || status == 200 {
            isOpen = true
            return pending
        }
        if pending.readableBytes >= length, let refusal { throw refusal }
        return ByteBuffer()
    }

    /// What the engine said so far where it does not agree.
    var refusal: EngineClient.Refusal? {
        guard let status, !isOpen else { return nil }
        let text = String(buffer: pending)
        let message = (try? JSONDecoder().decode(EngineClient.Message.self, from: Data(text.utf8)).message) ?? text
        return EngineClient.Refusal(status: status, message: String(message.prefix(2000)))
    }
}
