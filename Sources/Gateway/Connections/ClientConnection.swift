import Models
import NIOCore

/// One client's connection: reads requests, one after another, decides where each goes, and relays it.
///
/// It reads and writes bytes rather than parsed parts, so that a head is copied in a few runs and a body not at all. Reading is
/// explicit (`autoRead` is off): what is not asked for stays in the kernel, which slows the client down.
final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Waits for, or is in the middle of, a request's head.
        case idle
        /// Knows the request, asks who the viewer is.
        case deciding
        /// Waits for a connection to the upstream.
        case connecting
        /// The request is on its way, or its answer is.
        case relaying
        /// After a 101: bytes both ways.
        case tunnel
        /// Has answered and waits for the answer to leave; what the client still sends is read over.
        case closing
        case closed
    }

    /// Why `deadline` was set.
    enum Waiting { case nothing, nextRequest, head, decision, upload, answer, goodbye }

    let loop: GatewayLoop
    var context: ChannelHandlerContext?
    var place = 0
    var phase = Phase.idle
    var waiting = Waiting.nothing
    var deadline = NIODeadline.distantFuture
    /// Since when the client takes nothing, by the loop's clock.
    var stalledSince: NIODeadline?

    /// Bytes that are not yet dealt with.
    var inbound = ByteBuffer()
    /// How many of them were searched for the end of a head.
    var searched = 0
    var isAdvancing = false
    /// No read is asked for until there is room.
    var isPaused = false

    var request = RequestHead()
    var exchange = Exchange()
    /// The request as it goes upstream; kept until its answer begins, so that it can be sent again.
    var requestOut = ByteBuffer()
    /// Where answers are put together; its memory is used again for the next one.
    var responseOut = ByteBuffer()
    /// The head in `responseOut` was not handed to the channel yet.
    var hasHeadToWrite = false
    var needsFlush = false
    /// Length of the head at the start of `inbound`; 0 once it is passed.
    var headEnd = 0
    var upstream: UpstreamConnection?
    /// Of the WebSocket, as the app sends it.
    var frames = FrameTracker()
    /// Of the client's address.
    let addressHash: UInt64
    /// `X-Forwarded-For` and `X-Forwarded-Proto` lines.
    let forwardedLines: [UInt8]

    init(loop: GatewayLoop, address: SocketAddress?) {
        self.loop = loop
        // An IPv4 client of an IPv6 listener is known by its IPv4 address (RFC 4291 section 2.5.5.2).
        var client = address?.ipAddress ?? "unknown"
        if client.hasPrefix("::ffff:"), client.contains(".") { client.removeFirst(7) }
        addressHash = Affinity.hash(client.utf8)
        forwardedLines = Array("X-Forwarded-For: \(client)\r\nX-Forwarded-Proto: \(loop.configuration.publicScheme)\r\n".utf8)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        loop.counters.clients += 1
        loop.add(self)
        guard phase == .idle else { return }
        wait(.nextRequest, loop.configuration.idleTimeout)
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.counters.clients -= 1
        phase = .closed
        abandonUpstream()
        loop.remove(self)
        inbound = ByteBuffer()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        switch phase {
        case .tunnel: upstream?.write(bytes)
        case .closing, .closed: break
        case .idle, .deciding, .connecting, .relaying:
            if inbound.readableBytes == 0 { inbound = bytes } else { inbound.writeBuffer(&bytes) }
            advance()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        upstream?.flush()
        isPaused = true
        resumeReading()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stalledSince = nil
            upstream?.resumeReading()
        } else {
            stalledSince = loop.now
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, phase == .tunnel { upstream?.closeOutput() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    /// Reads on where there is room for what comes.
    func resumeReading() {
        guard isPaused, mayRead else { return }
        isPaused = false
        context?.read()
    }

    private var mayRead: Bool {
        switch phase {
        case .closing, .idle: true
        case .closed: false
        case .tunnel: upstream?.isWritable ?? false
        // Reading on also shows when the client hangs up; the next requests it may send ahead are bounded.
        case .deciding, .connecting: inbound.readableBytes < Self.maximumAhead
        case .relaying: exchange.requestDone ? inbound.readableBytes < Self.maximumAhead : upstream?.isWritable ?? false
        }
    }

    static let maximumAhead = 64 * 1024

    func wait(_ what: Waiting, _ time: Duration) {
        waiting = what
        deadline = loop.now + TimeAmount(time)
    }

    func waitForNothing() {
        waiting = .nothing
        deadline = .distantFuture
    }

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        abandonUpstream()
        context?.close(promise: nil)
    }
}
