import NIOCore
import NIOHTTP1

/// Answers apps from inside their network: `GET /.well-known/jwks.json`, and 404 to everything else.
final class InsideHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let loop: GatewayLoop
    private var context: ChannelHandlerContext?
    private var request: HTTPRequestHead?

    init(loop: GatewayLoop) { self.loop = loop }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break
        case .end:
            let path = request?.uri.prefix { $0 != "?" }
            if path == "/.well-known/jwks.json", request?.method == .GET || request?.method == .HEAD {
                loop.withKeys { [self] in answer($0 == nil ? .serviceUnavailable : .ok, $0 ?? ByteBuffer(staticString: "{}")) }
            } else {
                answer(.notFound, ByteBuffer(staticString: #"{"error":{"code":"not_found","message":"there is nothing here"}}"#))
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ status: HTTPResponseStatus, _ body: ByteBuffer) {
        guard let context, let request else { return }
        self.request = nil
        let keepsAlive = request.isKeepAlive && !loop.isStopping
        var head = HTTPResponseHead(version: .http1_1, status: status)
        head.headers.add(name: "Content-Type", value: "application/json")
        head.headers.add(name: "Content-Length", value: String(body.readableBytes))
        if !keepsAlive { head.headers.add(name: "Connection", value: "close") }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD { context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in if !keepsAlive { context.close(promise: nil) } }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: promise)
    }
}
