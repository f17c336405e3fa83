package import NIOCore
import NIOPosix

/// A TCP or Unix connection that says and hears bytes exactly as a test spells them.
///
/// Every read throws `RawConnection.Ended` where the connection ends first, so that a test fails instead of hanging.
package final class RawConnection {
    package struct Ended: Error {
        /// What had come before the end.
        package var rest: String
    }

    private let channel: any Channel
    private let reader: NIOLoopBound<ByteReader>
    private var buffer = ByteBuffer()

    fileprivate init(_ accepted: Accepted) {
        channel = accepted.channel
        reader = accepted.reader
    }

    package func send(_ text: String) async throws { try await send(ByteBuffer(string: text)) }
    /// Returns once the kernel has taken all of it.
    package func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes).get() }

    /// Half-closes: says that nothing more will be sent.
    package func finish() async throws { try await channel.close(mode: .output).get() }

    /// Waits for more bytes.
    /// - Returns: false at the end of the connection, also when it was reset.
    private func receive() async -> Bool {
        let more = try? await channel.eventLoop.flatSubmit { [reader] in reader.value.next() }.get()
        guard var more else { return false }
        buffer.writeBuffer(&more)
        return true
    }

    /// What comes next, as it was read; nil at the end.
    package func next() async -> ByteBuffer? {
        if buffer.readableBytes == 0, await !receive() { return nil }
        defer { buffer = ByteBuffer() }
        return buffer
    }

    /// Exactly `count` bytes.
    package func read(_ count: Int) async throws -> String {
        while buffer.readableBytes < count { guard await receive() else { throw ended() } }
        return buffer.readString(length: count) ?? ""
    }

    /// Everything up to and including `mark`.
    package func read(until mark: String) async throws -> String {
        let bytes = ByteBuffer(string: mark).readableBytesView
        while true {
            if let found = buffer.readableBytesView.firstRange(of: bytes) {
                return buffer.readString(length: found.upperBound - buffer.readerIndex) ?? ""
            }
            guard await receive() else { throw ended() }
        }
    }

    /// Everything up to the end of the connection.
    package func readToEnd() async -> String {
        while await receive() {}
        return buffer.readString(length: buffer.readableBytes) ?? ""
    }

    /// The next request or response, its body decoded.
    /// - Parameter hasBody: false for the answer to HEAD.
    package func readMessage(hasBody: Bool = true) async throws -> RawMessage {
        var message = RawMessage(head: try await read(until: "\r\n\r\n"))
        guard hasBody else { return message }
        if message["transfer-encoding"] == "chunked" {
            while true {
                let line = try await read(until: "\r\n")
                let count = Int(line.prefix { $0.isHexDigit }, radix: 16) ?? 0
                message.chunks.append(try await read(count))
                _ = try await read(2)
                if count == 0 { return message }
            }
        } else if let length = message["content-length"].flatMap({ Int($0) }) {
            message.chunks = [try await read(length)]
        } else if message.startLine.hasPrefix("HTTP/"), !["100", "101", "103", "204", "304"].contains(message.status) {
            message.chunks = [await readToEnd()]
        }
        return message
    }

    private func ended() -> Ended { Ended(rest: String(buffer: buffer)) }
}

/// Reads only when asked, so that what a test does not read stays with the sender.
private final class ByteReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var context: ChannelHandlerContext?
    private var read: ByteBuffer?
    private var hasEnded = false
    private var waiter: EventLoopPromise<ByteBuffer?>?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func channelInactive(context: ChannelHandlerContext) { end() }
    /// A read asked for earlier is forgotten by the channel.
    func channelActive(context: ChannelHandlerContext) { if waiter != nil { context.read() } }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        if read == nil { read = bytes } else { read?.writeBuffer(&bytes) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if let read, let waiter {
            self.read = nil
            self.waiter = nil
            waiter.succeed(read)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { end() }
    }

    /// - Returns: what was read, or nil at the end.
    func next() -> EventLoopFuture<ByteBuffer?> {
        guard let context, read == nil, !hasEnded else {
            defer { read = nil }
            return MultiThreadedEventLoopGroup.singleton.any().makeSucceededFuture(read)
        }
        let promise = context.eventLoop.makePromise(of: ByteBuffer?.self)
        waiter = promise
        if context.channel.isActive { context.read() }
        return promise.futureResult
    }

    private func end() {
        hasEnded = true
        waiter?.succeed(read)
        waiter = nil
    }
}

/// A connection with its reader, on the way from its event loop to a test.
private struct Accepted: Sendable {
    var channel: any Channel
    var reader: NIOLoopBound<ByteReader>

    init(_ channel: any Channel) throws {
        let reader = ByteReader()
        try channel.pipeline.syncOperations.addHandler(reader)
        try channel.syncOptions?.setOption(.autoRead, value: false)
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        self.channel = channel
        self.reader = NIOLoopBound(reader, eventLoop: channel.eventLoop)
    }
}

/// A message as it was on the wire.
package struct RawMessage: Sendable {
    package var head: String
    package var chunks: [String] = []

    package init(head: String) { self.head = head }

    package var startLine: String { String(head.prefix { $0 != "\r\n" }) }
    /// The status code of a response, as text.
    package var status: String { String(startLine.dropFirst(9).prefix(3)) }
    package var body: String { chunks.joined() }

    /// All fields in order, names as they were written.
    package var fields: [(name: String, value: String)] {
        head.split(separator: "\r\n").dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (String(line[..<colon]), line[colon...].dropFirst().trimmingBlanks())
        }
    }

    /// The value of the only field of that name; several are joined with "|" so that a test sees them.
    package subscript(name: String) -> String? {
        let values = fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: "|")
    }
}

extension Substring {
    fileprivate func trimmingBlanks() -> String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// Connects to a loopback port, or a Unix socket, for the time of `body`.
package func withConnection<T>(to address: SocketAddress, _ body: (RawConnection) async throws -> T) async throws -> T {
    let accepted = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(to: address) { channel in channel.eventLoop.makeCompletedFuture { try Accepted(channel) } }
    defer { accepted.channel.close(promise: nil) }
    return try await body(RawConnection(accepted))
}

/// Listens on a loopback port the system chooses, or at a given address, for the time of `body`; `serve` runs once per
/// connection, told how many came before, and the connection is closed when it returns.
package func withListener<T>(
    at address: SocketAddress? = nil, serve: @escaping @Sendable (RawConnection, Int) async throws -> Void,
    _ body: (SocketAddress) async throws -> T
) async throws -> T {
    let (connections, sink) = AsyncStream.makeStream(of: Accepted.self)
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { _ = sink.yield(try Accepted(channel)) }
        }
        .bind(to: address ?? SocketAddress(ipAddress: "127.0.0.1", port: 0)).get()
    guard let local = listener.localAddress else { throw ChannelError.unknownLocalAddress }
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            await withTaskGroup(of: Void.self) { serving in
                var count = 0
                for await accepted in connections {
                    let index = count
                    count += 1
                    serving.addTask {
                        // A test that ends takes its connections with it, whatever they wait for.
                        await withTaskCancellationHandler {
                            try? await serve(RawConnection(accepted), index)
                        } onCancel: {
                            accepted.channel.close(promise: nil)
                        }
                        accepted.channel.close(promise: nil)
                    }
                }
                serving.cancelAll()
            }
        }
        let result: Result<T, any Error>
        do { result = .success(try await body(local)) } catch { result = .failure(error) }
        sink.finish()
        tasks.cancelAll()
        try? await listener.close().get()
        return try result.get()
    }
}
