import Commands
import Foundation
import Models
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

extension PlatformClient {
    /// Opens the WebSocket that a command is talked to over.
    /// - Parameter kind: "run" or "exec".
    /// - Throws: what the platform says where it refuses.
    func dialogue(_ kind: String, app: AppName) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        let path = ["apps", app.rawValue, kind]
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/api/v1/" + path.joined(separator: "/"))
        head.headers.add(name: "Host", value: String(origin.description.drop { $0 != "/" }.dropFirst(2)))
        head.headers.add(name: "User-Agent", value: "moor/\(Moor.version)")
        head.headers.add(name: "Sec-WebSocket-Protocol", value: commandProtocol)
        if let token { head.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let tls = origin.scheme == "https" ? try NIOSSLContext(configuration: .makeClientConfiguration()) : nil
        let answer: Answer
        do {
            answer = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(.seconds(5))
                .connect(host: origin.host, port: origin.port) { [origin, head] channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            let isAddress = (try? SocketAddress(ipAddress: origin.host, port: 0)) != nil
                            try channel.pipeline.syncOperations.addHandler(
                                try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : origin.host))
                        }
                        return try Self.upgrade(channel, head)
                    }
                }.get()
        } catch {
            throw unreachable(error)
        }
        switch answer {
        case .dialogue(let channel): return channel
        case .other(let channel): channel.close(promise: nil)
        }
        // Asked plainly, it says why.
        _ = try await send(.get, path)
        throw MoorError(.unavailable, "\(origin) does not switch to WebSocket", hint: "a proxy in between must let it pass")
    }

    private enum Answer: Sendable {
        case dialogue(NIOAsyncChannel<ByteBuffer, ByteBuffer>)
        /// No switch of protocols.
        case other(any Channel)
    }

    private static func upgrade(_ channel: any Channel, _ head: HTTPRequestHead) throws -> EventLoopFuture<Answer> {
        let upgrader = NIOTypedWebSocketClientUpgrader<Answer>(
            maxFrameSize: CommandBounds.message,
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture { .dialogue(try CommandTransport.install(on: channel, isClient: true)) }
            })
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
            upgradeConfiguration: .init(
                upgradeRequestHead: head, upgraders: [upgrader],
                notUpgradingCompletionHandler: { channel in channel.eventLoop.makeSucceededFuture(.other(channel)) }))
        // The platform may speak in the same packet that switches.
        configuration.leftOverBytesStrategy = .forwardBytes
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: configuration)
    }
}
