package import Models
import NIOCore
import NIOHTTP1
import NIOPosix

extension GatewayService {
    /// Listens on an address of an app's network and answers there what an app may ask of the platform: the key set. A second
    /// call for the same address changes nothing.
    /// - Returns: the port.
    /// - Throws: `unavailable` where the address cannot be listened on.
    package func bindInside(address: String) async throws(MoorError) -> Int {
        let binding = inside[address] ?? startInside(address)
        inside[address] = binding
        do {
            guard let port = try await binding.get().localAddress?.port else { throw ChannelError.unknownLocalAddress }
            return port
        } catch {
            if inside[address] === binding { inside[address] = nil }
            throw MoorError(
                .unavailable, "cannot listen on \(address) inside the app's network",
                hint: "the network may be gone; deploying the app again makes it anew", cause: error)
        }
    }

    /// Stops listening there; nothing happens where nobody listens.
    package func unbindInside(address: String) async {
        guard let binding = inside.removeValue(forKey: address) else { return }
        try? await binding.get().close().get()
    }

    private func startInside(_ address: String) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // IP_FREEBIND (ip(7)): an engine may give the host this address only with the network's first container.
            .serverChannelOption(ChannelOptions.Types.SocketOption(level: .ip, name: .init(rawValue: 15)), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [loops] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(InsideHandler(loop: loops[channel.eventLoop]))
                }
            }
            .bind(host: address, port: configuration.insidePort)
    }
}
