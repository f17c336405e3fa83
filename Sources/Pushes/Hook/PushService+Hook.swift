import Glibc
import Logging
import Models
import NIOCore
import NIOPosix
import ServiceLifecycle

extension PushService {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Connections at a time; each is a push that the HTTP side has let in.
    private static let maximumHooks = 256

    /// Answers hooks until graceful shutdown, then until the last push has its verdict.
    package func run() async throws {
        guard configuration.hookSocket.utf8.count < 100 else {
            throw MoorError(
                .invalid, "the path of the hook's socket is longer than a socket address can hold", hint: "choose a shorter data folder")
        }
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 16 << 10, high: 64 << 10))
            .bind(unixDomainSocketPath: configuration.hookSocket, cleanupExistingSocketFile: true) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        // SAFETY: the path is a C string for the length of the call.
        unsafe chmod(configuration.hookSocket, 0o600)
        onListening()
        try await withGracefulShutdownHandler {
            try await server.executeThenClose { connections in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    var open = 0
                    for try await connection in connections {
                        if open >= Self.maximumHooks {
                            try await group.next()
                            open -= 1
                        }
                        open += 1
                        group.addTask { await self.handle(connection) }
                    }
                }
            }
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
        }
    }

    private enum HookEvent: Sendable { case gone, decided }

    /// One hook from its request to its verdict. A hook that goes away cancels its deploy.
    private func handle(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                let (requests, arrival) = AsyncStream<HookMessage.Request>.makeStream(bufferingPolicy: .bufferingOldest(1))
                await withTaskGroup(of: HookEvent.self) { group in
                    group.addTask {
                        await self.read(inbound, arrival)
                        return .gone
                    }
                    group.addTask {
                        for await request in requests {
                            await self.decide(request) { text in
                                // A hook that is gone is noticed by the reader above.
                                try? await outbound.write(ByteBuffer(string: HookMessage.line(text)))
                            } verdict: { isAccepted in
                                try? await outbound.write(
                                    ByteBuffer(string: (isAccepted ? HookMessage.accept : HookMessage.reject) + "\n"))
                            }
                            break
                        }
                        return .decided
                    }
                    // With its verdict the hook ends; closing before it has read all would take it from it.
                    if await group.next() == .gone { group.cancelAll() }
                    await group.waitForAll()
                }
            }
        } catch {
            logger.debug("a hook's connection broke", metadata: ["cause": "\(error)"])
        }
    }

    /// Reads the hook's request, then waits until the hook goes away.
    private func read(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ arrival: AsyncStream<HookMessage.Request>.Continuation) async {
        defer { arrival.finish() }
        var bytes: [UInt8] = []
        var isRead = false
        do {
            for try await buffer in inbound {
                guard !isRead else { continue }
                bytes += buffer.readableBytesView
                guard let request = try HookMessage.request(from: bytes) else { continue }
                isRead = true
                arrival.yield(request)
            }
        } catch {
            logger.warning("a hook said what it should not", metadata: ["cause": "\(error)"])
        }
    }

    private func decide(
        _ request: HookMessage.Request, line: @escaping @Sendable (String) async -> Void, verdict: (Bool) async -> Void
    ) async {
        let log = DeployLog(line)
        guard let session = secrets.redeem(request.token), session.begin() else {
            logger.warning("a hook came without a valid token")
            await verdict(false)
            return
        }
        let decision = await withTaskGroup(of: PushSession.Verdict?.self) { group in
            group.addTask { await self.receive(request, session: session, log: log) }
            group.addTask {
                await session.cancellation.wait()
                return nil
            }
            // Whichever is first: a pusher who left cancels the deploy, which then says what came of it.
            var decision = await group.next() ?? nil
            group.cancelAll()
            for await other in group { decision = decision ?? other }
            return decision ?? .rejected
        }
        session.decide(decision)
        await verdict(decision != .rejected)
    }
}
