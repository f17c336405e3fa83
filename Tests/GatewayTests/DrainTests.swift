import Gateway
import Models
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)))
struct DrainTests {
    /// An app that answers once the gate opens, and tells when a connection ends.
    private func withSlowApp<T>(
        _ body: (GatewayHarness, SocketAddress, AsyncStream<Void>.Continuation, AsyncStream<String>) async throws -> T
    ) async throws -> T {
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let (events, sink) = AsyncStream.makeStream(of: String.self)
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            while let _ = try? await connection.readMessage() {
                sink.yield("asked")
                for await _ in gate { break }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
            }
            sink.yield("closed")
        }
        return try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                return try await body(gateway, address, opener, events)
            }
        }
    }

    @Test func `draining waits for the request in flight and then closes the connection`() async throws {
        try await withSlowApp { gateway, address, opener, events in
            try await gateway.connect { connection in
                try await connection.send("GET / HTTP/1.1\r\n\(toSales)\r\n")
                #expect(await first(events) == "asked")
                await gateway.publish([])
                #expect(await gateway.service.drain([endpoint(address)], deadline: .milliseconds(30)) == 1)
                async let open = gateway.service.drain([endpoint(address)], deadline: .seconds(50))
                opener.yield()
                #expect(try await connection.readMessage().body == "done")
                #expect(await open == 0)
                #expect(await first(events) == "closed")
                try await connection.send("GET / HTTP/1.1\r\n\(toSales)\r\n")
                #expect(try await connection.readMessage().status == "503")
            }
        }
    }

    @Test func `an idle connection to a replica that left is closed at once`() async throws {
        try await withSlowApp { gateway, address, opener, events in
            opener.yield()
            let answer = try await gateway.ask("GET / HTTP/1.1\r\n\(toSales)\r\n")
            #expect(answer.body == "done")
            #expect(await first(events) == "asked")
            await gateway.publish([])
            #expect(await first(events) == "closed")
            #expect(await gateway.service.drain([endpoint(address)], deadline: .seconds(50)) == 0)
        }
    }

    @Test func `shutdown lets the request in flight finish and closes what is idle`() async throws {
        try await withSlowApp { gateway, _, opener, events in
            try await gateway.connect { idle in
                try await gateway.connect { busy in
                    try await busy.send("GET / HTTP/1.1\r\n\(toSales)\r\n")
                    #expect(await first(events) == "asked")
                    await gateway.services.triggerGracefulShutdown()
                    #expect(await idle.readToEnd() == "")
                    opener.yield()
                    let answer = try await busy.readMessage()
                    #expect(answer.body == "done" && answer["connection"] == "close")
                    #expect(await busy.next() == nil)
                }
            }
        }
    }

    @Test func `shutdown does not wait longer than its deadline`() async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            while await connection.next() != nil {}
        }
        try await withListener(serve: app) { address in
            try await withGateway(configure: { $0.drainDeadline = .milliseconds(50) }) { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send("GET / HTTP/1.1\r\n\(toSales)\r\n")
                    while await gateway.service.counters().inFlight == 0 {}
                    await gateway.services.triggerGracefulShutdown()
                    #expect(await connection.readToEnd() == "")
                }
            }
        }
    }

    @Test func `an address in use is said so`() async throws {
        try await withListener(serve: mirror) { address in
            let port = address.port ?? 0
            let error = await refused { try await withGateway(configure: { $0.listenPort = port }) { _ in } }
            #expect(error?.code == .unavailable && error?.hint != nil)
        }
    }
}
