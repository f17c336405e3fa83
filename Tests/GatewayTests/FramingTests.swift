import Gateway
import NIOCore
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)))
struct FramingTests {
    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: sales.localhost\r\nHost: sales.localhost\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: u@sales.localhost\r\n\r\n", "400"),
        ("GET http://u@sales.localhost/ HTTP/1.1\r\n\(toSales)\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Content-Length: 3, 3\r\n\r\nabc", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Content-Length: +3\r\n\r\nabc", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Content-Length: 0x3\r\n\r\nabc", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Content-Length: -1\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Content-Length: 9999999999999999999\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Content-Length:\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: identity\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: \u{0B}chunked\r\n\r\n0\r\n\r\n", "400"),
        ("POST / HTTP/1.0\r\n\(toSales)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\(toSales)X: a\r\n folded\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n X: a\r\n\(toSales)\r\n", "400"),
        ("GET / HTTP/1.1\r\n\(toSales)X : a\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\(toSales): a\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\(toSales)X\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\(toSales)X(y): a\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\(toSales)X: a\0b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\(toSales)X: a\rY: b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\n\(toSales)\r\n", "400"),
        ("GET / HTTP/1.1\r\n\(toSales)X: a\nY: b\r\n\r\n", "400"),
        ("GET /a b HTTP/1.1\r\n\(toSales)\r\n", "400"),
        ("GET  / HTTP/1.1\r\n\(toSales)\r\n", "400"),
        ("GET sales HTTP/1.1\r\n\(toSales)\r\n", "400"),
        ("GET * HTTP/1.1\r\n\(toSales)\r\n", "400"),
        ("GET / http/1.1\r\n\(toSales)\r\n", "400"),
        ("GET /\r\n\r\n", "400"),
        ("G(T / HTTP/1.1\r\n\(toSales)\r\n", "400"),
        ("GET / HTTP/2.0\r\n\(toSales)\r\n", "505"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
        ("CONNECT sales.localhost:80 HTTP/1.1\r\n\(toSales)\r\n", "501"),
        ("GET / HTTP/1.1\r\n\(toSales)X: \(String(repeating: "a", count: 66_000))\r\n\r\n", "431"),
        ("GET / HTTP/1.1\r\n\(toSales)\(String(repeating: "X: a\r\n", count: 300))\r\n", "431"),
        ("POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: chunked\r\n\r\n1111111111111111\r\n", "400"),
    ])
    func `a message that others may read differently is refused and nothing behind it is read`(_ request: String, _ status: String)
        async throws
    {
        let paths = Mutex<[String]>([])
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            while let request = try? await connection.readMessage() { paths.withLock { $0.append(request.startLine) } }
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send(request + "GET /smuggled HTTP/1.1\r\n\(toSales)\r\n")
                    #expect(try await connection.readMessage().status == status)
                    #expect(await connection.readToEnd() == "")
                }
            }
        }
        #expect(paths.withLock { $0.filter { $0.contains("smuggled") } } == [])
    }

    @Test func `requests sent ahead are answered in order on one upstream connection`() async throws {
        try await withMirror { gateway in
            try await gateway.connect { connection in
                let first = "POST /1 HTTP/1.1\r\n\(toSales)Content-Length: 3\r\n\r\none"
                let second =
                    "POST /2 HTTP/1.1\r\n\(toSales)Transfer-Encoding: chunked\r\n\r\n1\r\nt\r\n2;x=y\r\nwo\r\n0\r\nX-Forwarded-User: eve\r\n\r\n"
                let third = "\r\nGET /3 HTTP/1.1\r\n\(toSales)\r\n"
                let unknown = "GET /4 HTTP/1.1\r\nHost: nope.localhost\r\n\r\n"
                try await connection.send(first + second + unknown + third)
                let answers = [try await connection.readMessage(), try await connection.readMessage()]
                #expect(answers[0].body.hasPrefix("POST /1 ") && answers[0].body.hasSuffix("one"))
                #expect(answers[1].body.hasPrefix("POST /2 ") && answers[1].body.hasSuffix("two") && !answers[1].body.contains("eve"))
                #expect(try await connection.readMessage().status == "404")
                let last = try await connection.readMessage()
                #expect(last.body.hasPrefix("GET /3 ") && last["x-connection"] == "0")
            }
        }
    }

    @Test func `a request that comes byte by byte is one request`() async throws {
        // A busy host sends so many writes slowly.
        try await withMirror(configure: { $0.clientHeadTimeout = .seconds(120) }) { gateway in
            try await gateway.connect { connection in
                for byte in "POST / HTTP/1.1\r\n\(toSales)Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8 {
                    try await connection.send(ByteBuffer(bytes: [byte]))
                }
                let answer = try await connection.readMessage()
                #expect(answer.status == "200" && answer.body.hasSuffix("abc"))
            }
        }
    }

    @Test(arguments: [
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ""),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", ""),
        ("GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", ""),
        (
            "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;q\r\nd\r\n0\r\nX: y\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "abcd"
        ),
        (
            "GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok"
        ),
    ])
    func `an answer keeps its framing and its connection`(_ method: String, _ sent: String, _ head: String, _ body: String) async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            while true {
                _ = try await connection.readMessage()
                try await connection.send(sent)
            }
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    for _ in 0..<2 {
                        try await connection.send("\(method) / HTTP/1.1\r\n\(toSales)\r\n")
                        #expect(try await connection.read(head.utf8.count) == head)
                        if head.contains("chunked") {
                            #expect(try await connection.read(until: "0\r\n\r\n").filter { $0.isLetter } == body)
                        } else {
                            #expect(try await connection.read(body.utf8.count) == body)
                        }
                    }
                }
                #expect(await gateway.service.counters().upstreamConnections == 1)
            }
        }
    }

    @Test func `an answer up to the end of the connection becomes chunked, and cut ones stay cut`() async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            let request = try await connection.readMessage()
            if request.startLine.contains("cut") {
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            } else {
                try await connection.send("HTTP/1.0 200 OK\r\n\r\nabc")
            }
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send("GET / HTTP/1.1\r\n\(toSales)\r\n")
                    let answer = try await connection.readMessage()
                    #expect(answer["transfer-encoding"] == "chunked" && answer.body == "abc")
                    try await connection.send("GET /cut HTTP/1.1\r\n\(toSales)\r\n")
                    #expect(await connection.readToEnd().hasSuffix("\r\n\r\nabc"))
                }
            }
        }
    }

    @Test func `a client of HTTP/1.0 gets neither chunks nor interim answers`() async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            _ = try await connection.readMessage()
            try await connection.send(
                "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send("GET / HTTP/1.0\r\n\(toSales)Connection: keep-alive\r\n\r\n")
                    #expect(await connection.readToEnd() == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc")
                }
            }
        }
    }

    @Test func `a client of HTTP/1.0 that asks for it keeps its connection`() async throws {
        try await withMirror { gateway in
            try await gateway.connect { connection in
                for _ in 0..<2 {
                    try await connection.send("GET / HTTP/1.0\r\n\(toSales)Connection: keep-alive\r\n\r\n")
                    #expect(try await connection.readMessage()["connection"] == "keep-alive")
                }
                try await connection.send("GET / HTTP/1.0\r\n\(toSales)\r\n")
                #expect(try await connection.readMessage()["connection"] == "close")
                #expect(await connection.next() == nil)
            }
        }
    }

    @Test func `an app may ask for the body first, and the control plane never has to`() async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            let head = try await connection.read(until: "\r\n\r\n")
            #expect(RawMessage(head: head)["expect"] == "100-continue")
            try await connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            let body = try await connection.read(4)
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\(body)")
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                try await withListener(at: SocketAddress(unixDomainSocketPath: gateway.controlSocket), serve: mirror) { _ in
                    for host in ["sales.localhost", "localhost"] {
                        try await gateway.connect { connection in
                            try await connection.send(
                                "PUT / HTTP/1.1\r\nHost: \(host)\r\nCookie: moor_app=ada\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
                            )
                            #expect(try await connection.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
                            try await connection.send("body")
                            let answer = try await connection.readMessage()
                            #expect(answer.body.hasSuffix("body") && !answer.body.contains("Expect"))
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [
        "HTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
        "HTTP/1.1 101 Hm\r\n\r\n",
    ])
    func `an app that does not speak HTTP is named to the owner`(_ sent: String) async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            _ = try await connection.readMessage()
            try await connection.send(sent)
            _ = await connection.next()
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                let answer = try await gateway.ask("GET / HTTP/1.1\r\n\(toSales)\r\n")
                #expect(answer.status == "502" && answer.body.contains("\(endpoint(address)) sent something that is not HTTP"))
            }
        }
    }
}
