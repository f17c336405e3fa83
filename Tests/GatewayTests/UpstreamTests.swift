import Gateway
import Models
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)))
struct UpstreamTests {
    /// An address on which nobody listens.
    private func nobody() async throws -> SocketAddress {
        try await withListener(serve: mirror) { $0 }
    }

    @Test func `one upstream connection serves many client connections`() async throws {
        try await withMirror { gateway in
            for _ in 0..<5 {
                let answer = try await gateway.ask("GET / HTTP/1.1\r\n\(toSales)Connection: close\r\n\r\n")
                #expect(answer["x-connection"] == "0" && answer["connection"] == "close")
            }
            #expect(await gateway.service.counters().upstreamConnections == 1)
        }
    }

    @Test func `an idempotent request on a connection that the app closed is sent again`() async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, index in
            _ = try await connection.readMessage()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)")
            // The second request on the first connection is read and then not answered.
            if index == 0 { _ = try await connection.readMessage() }
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                let answer1 = try await gateway.ask("PUT / HTTP/1.1\r\n\(toSales)Content-Length: 2\r\n\r\nhi")
                #expect(answer1.body == "0")
                let answer2 = try await gateway.ask("PUT / HTTP/1.1\r\n\(toSales)Content-Length: 2\r\n\r\nhi")
                #expect(answer2.body == "1")
                #expect(await gateway.service.counters().retries == 1)
            }
        }
    }

    @Test func `a request that may have been handled is not sent again`() async throws {
        let requests = Mutex(0)
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, index in
            while true {
                _ = try await connection.readMessage()
                if requests.withLock({
                    $0 += 1; return $0
                }) == 2 {
                    return
                }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)")
            }
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                let answer3 = try await gateway.ask("POST / HTTP/1.1\r\n\(toSales)Content-Length: 2\r\n\r\nhi")
                #expect(answer3.status == "200")
                let answer = try await gateway.ask("POST / HTTP/1.1\r\n\(toSales)Content-Length: 2\r\n\r\nhi")
                #expect(answer.status == "502" && answer.body.contains("closed the connection without an answer"))
            }
        }
        #expect(requests.withLock { $0 } == 2)
    }

    @Test func `a replica that refuses is passed over`() async throws {
        let nobody = try await nobody()
        try await withListener(serve: mirror) { address in
            try await withGateway { gateway in
                await gateway.publish([nobody, address, nobody])
                for _ in 0..<4 {
                    let answer = try await gateway.ask("POST / HTTP/1.1\r\n\(toSales)Content-Length: 2\r\n\r\nhi")
                    #expect(answer.status == "200" && answer.body.hasSuffix("hi"))
                }
                await gateway.publish([nobody])
                let answer = try await gateway.ask("GET / HTTP/1.1\r\n\(toSales)Accept: text/html\r\n\r\n")
                #expect(answer.status == "502" && answer.body.contains("\(endpoint(nobody)) does not accept connections"))
                #expect(answer.body.contains("<h1>“sales” could not answer</h1>"))
            }
        }
    }

    @Test func `requests go to the replica with the fewest, in turn among equals`() async throws {
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let slow: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            while true {
                _ = try await connection.readMessage()
                for await _ in gate { break }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")
            }
        }
        try await withListener(serve: slow) { slowAddress in
            try await withListener(serve: mirror) { fast in
                try await withGateway { gateway in
                    await gateway.publish([slowAddress, fast])
                    try await gateway.connect { waiting in
                        // Two requests: one of them goes to the slow replica and stays there.
                        try await waiting.send("GET / HTTP/1.1\r\n\(toSales)\r\n")
                        try await gateway.connect { other in
                            try await other.send("GET / HTTP/1.1\r\n\(toSales)\r\n")
                            while await gateway.service.counters().inFlight != 1 {}
                            for _ in 0..<4 {
                                let answer = try await gateway.ask("GET /f HTTP/1.1\r\n\(toSales)\r\n")
                                #expect(answer.body.contains("/f"))
                            }
                            opener.yield()
                            let bodies = [try await waiting.readMessage().body, try await other.readMessage().body]
                            #expect(bodies.count { $0 == "slow" } == 1)
                        }
                    }
                }
            }
        }
    }

    @Test func `an app that does not answer in time is given up`() async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            while await connection.next() != nil {}
        }
        try await withListener(serve: app) { address in
            try await withGateway(configure: { $0.responseHeadTimeout = .milliseconds(100) }) { gateway in
                await gateway.publish([address])
                let answer = try await gateway.ask("GET / HTTP/1.1\r\n\(toSales)\r\n")
                #expect(answer.status == "504" && answer.body.contains("did not answer within"))
                #expect(await gateway.service.counters().inFlight == 0)
            }
        }
    }

    @Test func `a client that does not finish its head is let go`() async throws {
        try await withMirror(configure: { $0.clientHeadTimeout = .milliseconds(100) }) { gateway in
            try await gateway.connect { connection in
                try await connection.send("GET / HTTP/1.1\r\nHost:")
                #expect(await connection.readToEnd().hasPrefix("HTTP/1.1 408 "))
            }
        }
    }

    @Test func `a client connection without requests is closed`() async throws {
        try await withMirror(configure: { $0.idleTimeout = .milliseconds(100) }) { gateway in
            try await gateway.connect { connection in
                #expect(await connection.readToEnd() == "")
            }
        }
    }

    @Test(arguments: ["sales.localhost", "localhost"])
    func `when the client hangs up the upstream is told`(_ host: String) async throws {
        let (events, sink) = AsyncStream.makeStream(of: String.self)
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            _ = try await connection.readMessage()
            try await connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            sink.yield("begun")
            if await connection.next() == nil { sink.yield("gone") }
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await withListener(at: SocketAddress(unixDomainSocketPath: gateway.controlSocket), serve: app) { _ in
                    try await gateway.connect { connection in
                        try await connection.send("GET / HTTP/1.1\r\nHost: \(host)\r\nCookie: moor_app=ada\r\n\r\n")
                        #expect(await first(events) == "begun")
                    }
                    #expect(await first(events) == "gone")
                }
            }
        }
    }

    @Test func `an answer before the end of the upload reaches the client`() async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
            while await connection.next() != nil {}
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send("POST / HTTP/1.1\r\n\(toSales)Content-Length: 50000000\r\n\r\n")
                    try await connection.send(ByteBuffer(repeating: 0x61, count: 100_000))
                    let answer = try await connection.readMessage()
                    #expect(answer.status == "413" && answer.body == "big" && answer["connection"] == "close")
                    #expect(await connection.next() == nil)
                }
            }
        }
    }
}
