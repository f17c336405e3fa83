package import NIOCore
package import NIOWebSocket

/// WebSocket frames to messages and back (RFC 6455), and whether the other side is still there.
///
/// Each side sends a pong that nobody asked for every `heartbeat` (section 5.5.3 allows it): proxies see traffic, and it needs
/// no answer, which a reader that is held back could not give. Silence counts only while something is waited for.
package final class CommandTransport: ChannelDuplexHandler {
    package typealias InboundIn = WebSocketFrame
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = WebSocketFrame

    /// Why a connection is closed from this side.
    package enum Failure: Error, Equatable {
        case silent, noBinaryMessage
    }

    private let isClient: Bool
    private let heartbeat: TimeAmount
    private let patience: TimeAmount
    private var timer: Scheduled<Void>?
    private var isReading = false
    private var heardAt = NIODeadline.now()
    private var hasSaidGoodbye = false

    package init(isClient: Bool, heartbeat: TimeAmount = .seconds(15), patience: TimeAmount = .seconds(45)) {
        self.isClient = isClient
        self.heartbeat = heartbeat
        self.patience = patience
    }

    /// Puts it behind the WebSocket codec, with what joins fragments to messages of bounded size.
    package static func install(on channel: any Channel, isClient: Bool) throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try channel.pipeline.syncOperations.addHandlers([
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 64, maxAccumulatedFrameSize: CommandBounds.message),
            CommandTransport(isClient: isClient),
        ])
        return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        heardAt = context.eventLoop.now
        waitForBeat(context)
    }

    package func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    private func waitForBeat(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: heartbeat) { self.beat(context) }
    }

    private func beat(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        if isReading, context.eventLoop.now - heardAt > patience { return fail(context, .silent) }
        // Where nothing can be written, what waits to be is sign of life enough.
        if context.channel.isWritable { send(context, .pong, ByteBuffer()) }
        waitForBeat(context)
    }

    package func read(context: ChannelHandlerContext) {
        if !isReading {
            isReading = true
            heardAt = context.eventLoop.now
        }
        context.read()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heardAt = context.eventLoop.now
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary: context.fireChannelRead(wrapInboundOut(frame.unmaskedData))
        case .ping:
            if context.channel.isWritable { send(context, .pong, frame.unmaskedData) }
        case .pong: break
        case .connectionClose:
            sayGoodbye(context, .normalClosure)
            context.close(promise: nil)
        default: fail(context, .noBinaryMessage)
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        context.fireChannelReadComplete()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(wrapOutboundOut(frame(.binary, unwrapOutboundIn(data))), promise: promise)
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .all { sayGoodbye(context, .normalClosure) }
        context.close(mode: mode, promise: promise)
    }

    private func fail(_ context: ChannelHandlerContext, _ failure: Failure) {
        sayGoodbye(context, failure == .silent ? .goingAway : .protocolError)
        context.fireErrorCaught(failure)
        context.close(promise: nil)
    }

    private func sayGoodbye(_ context: ChannelHandlerContext, _ code: WebSocketErrorCode) {
        guard !hasSaidGoodbye, context.channel.isActive else { return }
        hasSaidGoodbye = true
        var content = ByteBuffer()
        content.write(webSocketErrorCode: code)
        send(context, .connectionClose, content)
    }

    private func send(_ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ content: ByteBuffer) {
        context.writeAndFlush(wrapOutboundOut(frame(opcode, content)), promise: nil)
    }

    private func frame(_ opcode: WebSocketOpcode, _ content: ByteBuffer) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: opcode, maskKey: isClient ? .random() : nil, data: content)
    }
}
