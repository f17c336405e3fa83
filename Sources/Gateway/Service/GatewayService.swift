package import Logging
package import Models
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Moorage's front door: takes every request, finds out who the viewer is and passes it to a replica or the control plane.
///
/// The routes can be published before `run` begins. Requests are served on the event loops alone; the one task group here
/// asks the viewer authority and the key set on their behalf.
package actor GatewayService: Service, TrafficDirector {
    let configuration: GatewayConfiguration
    let logger: Logger
    let group: MultiThreadedEventLoopGroup
    let loops: LoopSet
    private let authority: any ViewerAuthority
    private let jobs: AsyncStream<GatewayJob>
    private let jobSink: AsyncStream<GatewayJob>.Continuation
    private var bound: Endpoint?
    private var boundWaiters: [CheckedContinuation<Endpoint?, Never>] = []
    /// The event loops take nothing any more.
    private(set) var hasEnded = false
    var inside: [String: EventLoopFuture<any Channel>] = [:]

    package init(configuration: GatewayConfiguration, authority: any ViewerAuthority, logger: Logger) {
        self.configuration = configuration
        self.authority = authority
        self.logger = logger
        (jobs, jobSink) = AsyncStream.makeStream(of: GatewayJob.self, bufferingPolicy: .bufferingOldest(Self.maximumWaiting))
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoopCount))
        loops = LoopSet(group: group, configuration: configuration, logger: logger, jobs: jobSink)
    }

    deinit {
        // Only a service that never ran still has its loops.
        if !hasEnded { group.shutdownGracefully { _ in } }
    }

    /// Where the gateway listens, once it does.
    /// - Throws: `unavailable` where it ended without ever listening.
    package func boundAddress() async throws(MoorError) -> Endpoint {
        var address = bound
        if address == nil, !hasEnded { address = await withCheckedContinuation { boundWaiters.append($0) } }
        guard let address else { throw MoorError(.unavailable, "the gateway is not listening") }
        return address
    }

    /// Serves until graceful shutdown or cancellation.
    /// - Throws: `unavailable` where the address cannot be listened on.
    package func run() async throws {
        let listener: any Channel
        do {
            listener = try await listen()
        } catch {
            await end()
            throw error
        }
        tellBound(listener.localAddress)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.answerJobs() }
            do {
                try await gracefulShutdown()
                await drainAndStop(listener, deadline: configuration.drainDeadline)
            } catch {
                await drainAndStop(listener, deadline: .zero)
            }
            jobSink.finish()
            await tasks.waitForAll()
        }
        await end()
    }

    private func listen() async throws(MoorError) -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
            .childChannelInitializer { [loops] channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = ClientConnection(loop: loops[channel.eventLoop], address: channel.remoteAddress)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        do {
            return try await bootstrap.bind(host: configuration.listenHost, port: configuration.listenPort).get()
        } catch {
            throw MoorError(
                .unavailable, "cannot listen on \(configuration.listenHost):\(configuration.listenPort)",
                hint: "another process may use this port; choose another one with `listen`", cause: error)
        }
    }

    private func drainAndStop(_ listener: any Channel, deadline: Duration) async {
        try? await listener.close().get()
        for channel in inside.values { try? await channel.get().close().get() }
        inside.removeAll()
        await loops.stop(deadline: deadline)
    }

    private func end() async {
        hasEnded = true
        jobSink.finish()
        try? await group.shutdownGracefully()
        tellBound(nil)
    }

    private func tellBound(_ address: SocketAddress?) {
        if let address { bound = Endpoint(host: address.ipAddress ?? configuration.listenHost, port: address.port ?? 0) }
        for waiter in boundWaiters { waiter.resume(returning: bound) }
        boundWaiters.removeAll()
    }

    /// Puts the loops' questions to the authority, a bounded number at a time.
    @concurrent
    private nonisolated func answerJobs() async {
        await withTaskGroup(of: Void.self) { tasks in
            var running = 0
            for await job in jobs {
                if running >= Self.maximumAsking {
                    await tasks.next()
                    running -= 1
                }
                running += 1
                tasks.addTask { [authority, configuration] in await job.run(authority, configuration.jwks) }
            }
        }
    }

    private static let maximumWaiting = 4096
    private static let maximumAsking = 64
}
