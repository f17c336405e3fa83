import Models
import NIOCore
import NIOPosix

/// One connection to a replica or the control plane: idle in its pool, or serving one client connection of the same event loop.
final class UpstreamConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case idle
        /// Waits for, or is in the middle of, the answer's head.
        case head
        case body
        case tunnel
        case closed
    }

    /// How the body goes to the client.
    enum Outgoing { case asItIs, chunked }

    let loop: GatewayLoop
    let pool: UpstreamPool
    var context: ChannelHandlerContext?
    var client: ClientConnection?
    var phase = Phase.idle
    var idleSince = NIODeadline.now()
    var inbound = ByteBuffer()
    var searched = 0
    var response = ResponseHead()
    var body = BodyFraming.none
    var outgoing = Outgoing.asItIs
    var needsFlush = false
    var isPaused = false

    init(loop: GatewayLoop, pool: UpstreamPool) {
        self.loop = loop
        self.pool = pool
    }

    func connect(to address: SocketAddress) -> EventLoopFuture<UpstreamConnection> {
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        var bootstrap = ClientBootstrap(group: loop.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
            .connectTimeout(TimeAmount(loop.configuration.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
        if pool.endpoint != nil {
            // At the end of a stream NIO reads all that the kernel holds at once, whatever the client's pace: keep that small.
            bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_rcvbuf), value: 256 * 1024)
        }
        return bootstrap.connect(to: address).assumeIsolated().map { _ in self }.nonisolated()
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelInactive(context: ChannelHandlerContext) {
        let was = phase
        phase = .closed
        let client = self.client
        self.client = nil
        switch was {
        case .idle: pool.forget(self)
        case .head where inbound.readableBytes == 0: client?.upstreamCut()
        case .head: client?.upstreamBroke("closed the connection in the middle of an answer")
        case .body:
            if case .untilClose = body { client.map { finish($0) } } else { client?.upstreamBroke("broke off its answer") }
        case .tunnel: client?.tunnelEnded()
        case .closed: break
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        switch phase {
        // An answer to no question: the next request would take it for its own.
        case .idle: close()
        case .closed: break
        case .tunnel: client?.relayTunnel(bytes)
        case .head, .body:
            if inbound.readableBytes == 0 { inbound = bytes } else { inbound.writeBuffer(&bytes) }
            relay()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        client?.flush()
        isPaused = true
        resumeReading()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { client?.resumeReading() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, phase == .tunnel { client?.closeOutput() }
    }

    /// A reset is no end of a body, even where the end of the connection is.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .untilClose = body, phase == .body { body = .none }
        close()
    }

    func begin(for client: ClientConnection) {
        self.client = client
        phase = .head
        searched = 0
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ bytes: ByteBuffer) {
        context?.write(Self.wrapOutboundOut(bytes), promise: nil)
        needsFlush = true
    }

    func flush() {
        guard needsFlush else { return }
        needsFlush = false
        context?.flush()
    }

    /// Reads on where the client takes what comes.
    func resumeReading() {
        guard isPaused, phase == .idle || client?.isWritable ?? false else { return }
        isPaused = false
        context?.read()
    }

    /// Ends our direction once all of it has left: closing at once would drop what waits where the other direction is closed.
    func closeOutput() {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
        needsFlush = false
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    /// The client is gone or has its answer from elsewhere.
    func abandon() {
        client = nil
        phase = .closed
        close()
    }

    func close() { context?.close(promise: nil) }
}
