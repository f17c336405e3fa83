import Commands
import Foundation
import HTTPTypes
package import HummingbirdCore
import Logging
import Models
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket
import Synchronization

extension APIController {
    /// A server of HTTP/1.1 whose connections become WebSockets where a command is asked for. Everything else, what is refused
    /// here included, is the router's to answer.
    package var server: HTTPServerBuilder { HTTPServerBuilder { CommandUpgrade(responder: $0, api: self) } }

    /// - Returns: nil where the request is for something else, or the router has to say why not.
    fileprivate func commandCaller(of head: HTTPRequestHead) async -> CommandCaller? {
        let path = head.uri.split(separator: "?", maxSplits: 1).first.map(String.init) ?? ""
        guard head.method == .GET, path.hasPrefix(Self.prefix + "/apps/") else { return nil }
        let parts = path.dropFirst(Self.prefix.count).split(separator: "/")
        guard parts.count == 3, let kind = CommandCaller.Kind(rawValue: String(parts[2])),
            head.headers[canonicalForm: "sec-websocket-protocol"].contains(commandProtocol[...])
        else { return nil }
        do {
            let principal = try await Credentials(head.headers.first(name: "authorization"))
                .principal(by: authenticator, address: Call.address(of: HTTPFields(head.headers, splitCookie: false)))
            let app = try await app(named: parts[1].removingPercentEncoding ?? "", for: principal, to: .runCommands)
            return CommandCaller(kind: kind, principal: principal, app: app)
        } catch {
            return nil
        }
    }
}

/// As Hummingbird's `HTTP1Channel`, with an ear for upgrades on a connection's first request (RFC 9110 section 7.8).
private struct CommandUpgrade: ServerChildChannel, HTTPChannelHandler {
    enum Outcome: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case command(NIOAsyncChannel<ByteBuffer, ByteBuffer>, CommandCaller)
    }

    struct Value: ServerChildChannelValue {
        var channel: any Channel
        var outcome: EventLoopFuture<Outcome>
    }

    let responder: Responder
    let api: APIController

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let note = CallerNote()
        let upgrader = NIOTypedWebSocketServerUpgrader<Outcome>(
            maxFrameSize: CommandBounds.message,
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeFutureWithTask {
                    guard let caller = await api.commandCaller(of: head) else { return nil }
                    note.caller.withLock { $0 = caller }
                    return ["Sec-WebSocket-Protocol": commandProtocol]
                }
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    guard let caller = note.caller.withLock(\.self) else { throw ChannelError.inappropriateOperationForState }
                    return .command(try CommandTransport.install(on: channel, isClient: false), caller)
                }
            })
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            var configuration = NIOUpgradableHTTPServerPipelineConfiguration<Outcome>(
                upgradeConfiguration: .init(upgraders: [upgrader]) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
                        try pipeline.addHandler(HTTPConnectionStateHandler(logger: logger))
                        let wrapped = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                        try pipeline.handler(type: FirstRequest.self).repeatRefused()
                        return .http(wrapped)
                    }
                })
            let limits = HTTP1Channel.Configuration.DecoderConfiguration()
            configuration.decoderConfiguration.maxHeaderFieldSize = limits.maxHeaderFieldSize
            configuration.decoderConfiguration.maxHeaderListSize = limits.maxHeaderListSize
            configuration.decoderConfiguration.maxHeaderFieldCount = limits.maxHeaderFieldCount
            configuration.enablePipelining = false
            configuration.enableErrorHandling = false
            configuration.enableResponseHeaderValidation = false
            let outcome = try pipeline.configureUpgradableHTTPServerPipeline(configuration: configuration)
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(FirstRequest(), position: .after(decoder))
            return Value(channel: channel, outcome: outcome)
        }
    }

    func handle(value: Value, logger: Logger) async {
        let outcome: Outcome
        do { outcome = try await value.outcome.get() } catch {
            // The client went away first.
            value.channel.close(promise: nil)
            return
        }
        switch outcome {
        case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
        case .command(let channel, let caller): await api.converse(channel, caller)
        }
    }
}

/// Keeps who asked, from the decision to switch protocols to the switch.
private final class CallerNote: Sendable {
    let caller = Mutex<CommandCaller?>(nil)
}

/// Keeps the first request while it is decided on. NIO's upgrade handler swallows one that asks to switch protocols and may
/// not, so it would never be answered; and its decoder reads nothing behind one, so the answer is the connection's last.
private final class FirstRequest: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var context: ChannelHandlerContext?
    private var asking: [HTTPServerRequestPart] = []
    private var isOver = false
    private var isRefused = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Afterwards it may be no HTTP at all.
        guard !isOver else { return context.fireChannelRead(data) }
        let part = unwrapInboundIn(data)
        switch part {
        case .head(let head) where head.headers.contains(name: "upgrade"): asking = [part]
        case .head, .body: isOver = true
        case .end:
            isOver = true
            asking.append(part)
        }
        context.fireChannelRead(data)
    }

    /// Reads it once more; the upgrade handler, which is on its way out, passes it on.
    func repeatRefused() {
        isRefused = !asking.isEmpty
        for part in asking { context?.fireChannelRead(wrapInboundOut(part)) }
        asking = []
        isOver = true
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isRefused else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            head.headers.replaceOrAdd(name: "connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            context.writeAndFlush(data, promise: promise)
            context.close(promise: nil)
        case .body: context.write(data, promise: promise)
        }
    }
}
