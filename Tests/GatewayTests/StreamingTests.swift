import Gateway
import NIOCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)), .serialized)
struct StreamingTests {
    private let megabyte = 1 << 20
    /// More than kernel and gateway may hold between two ends that do not read.
    private let bound = 24 << 20
    private let total = 64 << 20

    /// Gives the gateway's only event loop ample time to read what it should not read.
    private func letTimePass(_ gateway: GatewayHarness) async throws {
        try await gateway.connect { connection in
            for _ in 0..<300 {
                try await connection.send("GET / HTTP/1.1\r\nHost: nope.localhost\r\n\r\n")
                _ = try await connection.readMessage()
            }
        }
    }

    @Test(arguments: [true, false])
    func `a slow reader slows the app down and loses nothing`(_ isChunked: Bool) async throws {
        let sent = Tally()
        let (total, megabyte) = (self.total, self.megabyte)
        try await withListener(serve: { connection, _ in
            _ = try await connection.readMessage()
            try await connection.send("HTTP/1.1 200 OK\r\n\(isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(total)")\r\n\r\n")
            let part = ByteBuffer(repeating: 0x61, count: megabyte)
            for _ in 0..<total / megabyte {
                if isChunked { try await connection.send("100000\r\n") }
                try await connection.send(part)
                if isChunked { try await connection.send("\r\n") }
                sent.add(megabyte)
            }
            if isChunked { try await connection.send("0\r\n\r\n") }
        }) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send("GET / HTTP/1.1\r\n\(toSales)Connection: close\r\n\r\n")
                    _ = try await connection.read(until: "\r\n\r\n")
                    try await letTimePass(gateway)
                    #expect(sent.value < bound)
                    var received = 0
                    var last = ByteBuffer()
                    while let part = await connection.next() {
                        received += part.readableBytes
                        last = part
                    }
                    #expect(isChunked ? received > total && String(buffer: last).hasSuffix("0\r\n\r\n") : received == total)
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func `a slow app slows the client down and loses nothing`(_ isChunked: Bool) async throws {
        let sent = Tally()
        let (total, megabyte) = (self.total, self.megabyte)
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        try await withListener(serve: { connection, _ in
            _ = try await connection.read(until: "\r\n\r\n")
            for await _ in gate { break }
            var received = 0
            while let part = await connection.next() {
                received += part.readableBytes
                let isEnd = part.readableBytesView.suffix(5).elementsEqual("0\r\n\r\n".utf8)
                if isChunked ? isEnd : received == total { break }
            }
            let answer = received >= total ? "complete" : "cut"
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(answer.utf8.count)\r\n\r\n\(answer)")
        }) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send(
                        "POST / HTTP/1.1\r\n\(toSales)\(isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(total)")\r\n\r\n")
                    let part = ByteBuffer(repeating: 0x62, count: megabyte)
                    async let passing: Void = {
                        try await letTimePass(gateway)
                        #expect(sent.value < bound)
                        opener.yield()
                    }()
                    for _ in 0..<total / megabyte {
                        if isChunked { try await connection.send("100000\r\n") }
                        try await connection.send(part)
                        if isChunked { try await connection.send("\r\n") }
                        sent.add(megabyte)
                    }
                    if isChunked { try await connection.send("0\r\n\r\n") }
                    try await passing
                    #expect(try await connection.readMessage().body == "complete")
                }
            }
        }
    }

    private static let handshake =
        "GET /ws HTTP/1.1\r\n\(toSales)Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n"

    /// Accepts the handshake, then sends back what it gets, and "bye" after the client's end.
    @Sendable
    private static func echo(_ connection: RawConnection, _ index: Int) async throws {
        let request = try await connection.readMessage()
        #expect(request["connection"] == "Upgrade" && request["upgrade"] == "websocket" && request["x-forwarded-user"] == "ada")
        try await connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\n\r\nhello")
        while let bytes = await connection.next() { try await connection.send(bytes) }
        try await connection.send("bye")
    }

    @Test func `a WebSocket is a pipe of bytes in which each side ends for itself`() async throws {
        try await withListener(serve: Self.echo) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    // Bytes sent ahead of the answer belong to the new protocol.
                    try await connection.send(Self.handshake + "early")
                    let head = try await connection.read(until: "\r\n\r\n")
                    #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: a\r\n"))
                    #expect(RawMessage(head: head)["upgrade"] == "websocket" && RawMessage(head: head)["connection"] == "Upgrade")
                    #expect(try await connection.read(10) == "helloearly")
                    for word in ["one", "GET / HTTP/1.1\r\n\r\n"] {
                        try await connection.send(word)
                        #expect(try await connection.read(word.count + word.filter { $0 == "\r\n" }.count) == word)
                    }
                    #expect(await gateway.service.counters().inFlight == 1)
                    try await connection.finish()
                    #expect(await connection.readToEnd() == "bye")
                }
                while await gateway.service.counters().inFlight > 0 {}
            }
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\(toSales)Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n",
        "POST / HTTP/1.1\r\n\(toSales)Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.0\r\n\(toSales)Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\n\(toSales)Upgrade: websocket\r\n\r\n",
    ])
    func `only a WebSocket handshake may switch protocols`(_ request: String) async throws {
        try await withMirror { gateway in
            let seen = RawMessage(head: try await gateway.ask(request).body)
            #expect(seen["upgrade"] == nil && seen["connection"] == nil && seen["http2-settings"] == nil)
        }
    }
}
