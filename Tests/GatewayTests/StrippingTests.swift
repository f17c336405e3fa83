import Gateway
import NIOCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)))
struct StrippingTests {
    @Test(arguments: [
        "X-Moor-Viewer", "x-moor-anything", "X_Moor_Viewer", "X-Moor_Viewer", "X-Forwarded-User", "X_FORWARDED_USER", "x-forwarded-For",
        "X-Forwarded-Whatever", "Forwarded", "Plotly-User-Data", "PLOTLY_USER_DATA", "kid", "KID", "RStudio-Connect-Credentials",
        "X-SP-UserId", "x_sp_usergroups", "X-Auth-Request-Email", "Remote-User", "REMOTE_USER", "X-Request-Id", "X-Real-IP",
        "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Proxy", "TE", "Trailer", "Content_Length", "Transfer_Encoding",
        "Sec_Fetch_Mode",
    ])
    func `a client cannot say what only the gateway may say`(_ name: String) async throws {
        try await withMirror { gateway in
            let answer = try await gateway.ask("GET / HTTP/1.1\r\n\(toSales)\(name): spoofed\r\nX-Kept: yes\r\n\r\n")
            #expect(!answer.body.contains("spoofed"))
            #expect(RawMessage(head: answer.body)["x-kept"] == "yes")
        }
    }

    @Test(arguments: [
        ("a=1; moor_app=ada; b=2", "a=1; b=2; kcIdToken=signed"),
        ("moor_app=ada", "kcIdToken=signed"),
        ("moor_app=ada; kcIdToken=forged", "kcIdToken=signed"),
        ("moor_app=ada;moor_session=s;moor_state=t;  c = 3 ", "c = 3; kcIdToken=signed"),
        // Other parsers split at blanks, or strip quotes, commas and Unicode blanks around names.
        ("moor_app=ada; x=1 kcIdToken=forged; y=2", "y=2; kcIdToken=signed"),
        ("moor_app=ada; kcIdToken =forged; \u{A0}kcIdToken=forged; \"kcIdToken\"=forged; x=1,kcIdToken=forged", "kcIdToken=signed"),
        ("moor_app=ada; xkcIdToken=1; x=kcIdToken; moor_apps=2", "xkcIdToken=1; x=kcIdToken; moor_apps=2; kcIdToken=signed"),
        ("moor_app=ada; q=\"a b\"; e=; z", "q=\"a b\"; e=; z; kcIdToken=signed"),
    ])
    func `our cookies are taken out and the others stay as they are`(_ sent: String, _ seen: String) async throws {
        try await withMirror { gateway in
            let answer = try await gateway.ask("GET / HTTP/1.1\r\nHost: sales.localhost\r\nCookie: \(sent)\r\n\r\n")
            #expect(RawMessage(head: answer.body)["cookie"] == seen)
        }
    }

    @Test func `several cookie fields become one`() async throws {
        try await withMirror { gateway in
            let answer = try await gateway.ask("GET / HTTP/1.1\r\nCookie: a=1\r\n\(toSales)cookie: b=2\r\n\r\n")
            #expect(RawMessage(head: answer.body)["cookie"] == "a=1; b=2; kcIdToken=signed")
        }
    }

    @Test func `what Connection names ends at the gateway, but framing, host and viewer do not`() async throws {
        try await withMirror { gateway in
            let request = """
                POST / HTTP/1.1\r
                \(toSales)Connection: keep-alive, X-Private, Host, Content-Length, X-Moor-Viewer, Cookie\r
                X-Private: secret\r
                Content-Length: 2\r
                \r
                hi
                """
            let seen = RawMessage(head: try await gateway.ask(request).body)
            #expect(seen["x-private"] == nil && seen["connection"] == nil)
            #expect(seen["host"] == "sales.localhost" && seen["content-length"] == "2" && seen["x-moor-viewer"] == "token")
        }
    }

    @Test func `an answer's hop-by-hop fields end at the gateway`() async throws {
        let app: @Sendable (RawConnection, Int) async throws -> Void = { connection, _ in
            _ = try await connection.readMessage()
            try await connection.send(
                """
                HTTP/1.1 200 Fine by me\r\nSet-Cookie: a=1\r\nConnection: X-Private, close\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r
                Proxy-Authenticate: Basic\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nhi
                """)
        }
        try await withListener(serve: app) { address in
            try await withGateway { gateway in
                await gateway.publish([address])
                let answer = try await gateway.ask("GET / HTTP/1.1\r\n\(toSales)\r\n")
                #expect(answer.head == "HTTP/1.1 200 Fine by me\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\n")
            }
        }
    }
}
