import Models
import NIOCore
import ServiceLifecycle
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(4))) struct WebSocketDrainTests {
    /// An app that takes a WebSocket and sends each element of the stream through it.
    private func withSocket(
        _ body: (GatewayHarness, RawConnection, SocketAddress, AsyncStream<[UInt8]>.Continuation) async throws -> Void
    ) async throws {
        let (frames, sink) = AsyncStream.makeStream(of: [UInt8].self)
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            _ = try await connection.readMessage()
            try await connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            for await frame in frames { try await connection.send(ByteBuffer(bytes: frame)) }
            _ = await connection.readToEnd()
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send(
                        "GET / HTTP/1.1\r\n\(toSales)Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n")
                    #expect(try await connection.readMessage(hasBody: false).status == "101")
                    try await body(gateway, connection, address, sink)
                    sink.finish()
                }
            }
        }
    }

    /// The rest of what comes, with 0x03E9 as the close frame's code has it.
    private static let farewell = String(decoding: [0x88, 0x02, 0x03, 0xE9] as [UInt8], as: UTF8.self)

    @Test func `requests are drained without the WebSocket, which is then closed as going away`() async throws {
        try await withSocket { gateway, connection, address, frames in
            await gateway.publish([])
            #expect(await gateway.service.drain([endpoint(address)], deadline: .seconds(50), webSockets: false) == 0)
            #expect(await gateway.service.drain([endpoint(address)], deadline: .milliseconds(20), webSockets: true) == 1)
            frames.yield([0x81, 0x02, 0x68, 0x69])
            #expect(await connection.next().map { String(buffer: $0).contains("hi") } == true)
            async let open = gateway.service.drain([endpoint(address)], deadline: .seconds(50), webSockets: true)
            await gateway.service.cutWebSockets([endpoint(address)])
            #expect(await connection.readToEnd() == Self.farewell)
            #expect(await open == 0)
        }
    }

    @Test func `in the middle of a frame nothing is put between`() async throws {
        try await withSocket { gateway, connection, address, frames in
            frames.yield([0x81, 0x05, 0x68, 0x69])
            #expect(await connection.next().map { String(buffer: $0).contains("hi") } == true)
            await gateway.service.cutWebSockets([endpoint(address)])
            #expect(await connection.readToEnd() == "")
        }
    }

    @Test func `who asks after the end is answered`() async throws {
        let ended = try await withGateway { $0.service }
        await ended.publish(routes([]))
        await ended.cutWebSockets([Endpoint(host: "127.0.0.1", port: 1)])
        #expect(await ended.drain([Endpoint(host: "127.0.0.1", port: 1)], deadline: .seconds(50)) == 0)
        #expect(await ended.comparison(of: AppID(7)).isEmpty)
    }

    @Test func `shutdown says farewell at its deadline`() async throws {
        try await withSocket { gateway, connection, _, _ in
            await gateway.services.triggerGracefulShutdown()
            #expect(await connection.readToEnd() == Self.farewell)
        }
    }

    @Test(arguments: [0, 1, 125, 126, 65535, 65536, 100_000], [1, 3, 4096])
    func `frames of every size are followed, however they are cut`(size: Int, chunk: Int) {
        var stream: [UInt8] = []
        var ends: Set<Int> = [0]
        for masked in [false, true, false] {
            let mark: UInt8 = masked ? 0x80 : 0
            stream.append(0x82)
            switch size {
            case ..<126: stream.append(mark | UInt8(size))
            case ..<65536: stream += [mark | 126, UInt8(size >> 8), UInt8(size & 0xFF)]
            default: stream += [mark | 127, 0, 0, 0, 0] + (0..<4).map { UInt8(size >> (24 - 8 * $0) & 0xFF) }
            }
            stream += [UInt8](repeating: 0x88, count: size + (masked ? 4 : 0))
            ends.insert(stream.count)
        }
        var tracker = FrameTracker()
        var passed = 0
        while passed < stream.count {
            let next = min(passed + chunk, stream.count)
            tracker.pass(Array(stream[passed..<next]).span)
            passed = next
            #expect(tracker.isBetweenFrames == ends.contains(passed))
        }
    }
}
