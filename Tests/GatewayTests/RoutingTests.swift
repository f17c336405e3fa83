import Gateway
import Models
import NIOCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)))
struct RoutingTests {
    @Test func `a signed-in viewer's request reaches the app with who they are`() async throws {
        try await withMirror { gateway in
            let answer = try await gateway.ask("GET /a/b?c=d HTTP/1.1\r\n\(toSales)\r\n")
            #expect(answer.startLine == "HTTP/1.1 200 OK")
            let seen = RawMessage(head: answer.body)
            #expect(seen.startLine == "GET /a/b?c=d HTTP/1.1")
            #expect(seen["host"] == "sales.localhost")
            #expect(seen["x-moor-viewer"] == "token")
            #expect(seen["x-forwarded-user"] == "ada")
            #expect(seen["cookie"] == "kcIdToken=signed")
            #expect(seen["x-forwarded-for"] == "127.0.0.1")
            #expect(seen["x-forwarded-proto"] == "http")
            #expect(seen["x-forwarded-host"] == "sales.localhost")
            #expect(seen["x-request-id"]?.count == 16)
        }
    }

    @Test(arguments: [
        ("GET /", "localhost", "GET / "), ("GET /apps", "LOCALHOST:8080", "GET /apps "),
        ("GET /_moor/start?to=/", "sales.localhost", "GET /_moor/start?to=/ "),
        ("GET http://localhost/x", "sales.localhost", "GET /x "), ("GET http://localhost?q", "sales.localhost", "GET /?q "),
    ])
    func `the panel's host and the platform's path go to the control plane`(_ request: String, _ host: String, _ seen: String) async throws
    {
        try await withGateway { gateway in
            await gateway.publish([])
            try await withListener(at: SocketAddress(unixDomainSocketPath: gateway.controlSocket), serve: mirror) { _ in
                let answer = try await gateway.ask(
                    "\(request) HTTP/1.1\r\nHost: \(host)\r\nCookie: moor_session=1; a=b\r\nX-Moor-Viewer: no\r\n\r\n")
                #expect(answer.body.hasPrefix(seen))
                #expect(RawMessage(head: answer.body)["cookie"] == "moor_session=1; a=b")
                #expect(RawMessage(head: answer.body)["x-moor-viewer"] == nil)
                if !request.contains("http:") { #expect(RawMessage(head: answer.body)["host"] == host) }
            }
        }
    }

    @Test func `an unknown host gets a page for browsers and JSON for others`() async throws {
        try await withGateway { gateway in
            let page = try await gateway.ask("GET / HTTP/1.1\r\nHost: nope.localhost:81\r\nAccept: text/html,*/*\r\n\r\n")
            #expect(page.status == "404")
            #expect(page["content-type"] == "text/html; charset=utf-8")
            #expect(page.body.contains("There is no app here") && page.body.contains("http://localhost:81/"))
            let json = try await gateway.ask("GET / HTTP/1.1\r\nHost: nope.localhost\r\n\r\n")
            #expect(json.body.contains(#""code":"no_such_app""#))
        }
    }

    @Test func `navigation is sent to the sign-in and comes back to the exact page`() async throws {
        try await withMirror { gateway in
            let answer = try await gateway.ask(
                "GET /a b?x=1&y=%20 HTTP/1.1\r\n".replacing(" b", with: "%2Fb") + "Host: sales.localhost\r\nAccept: text/html\r\n\r\n")
            #expect(answer.status == "302")
            #expect(answer["location"] == "/_moor/start?to=/a%252Fb%3Fx%3D1%26y%3D%2520")
            #expect(answer["cache-control"] == "no-store")
        }
    }

    @Test(arguments: [
        ("POST / HTTP/1.1\r\nHost: sales.localhost\r\nAccept: text/html\r\nContent-Length: 2\r\n\r\nab", "401"),
        ("GET / HTTP/1.1\r\nHost: sales.localhost\r\nAccept: application/json\r\n\r\n", "401"),
        ("GET / HTTP/1.1\r\nHost: sales.localhost\r\nSec-Fetch-Mode: navigate\r\n\r\n", "302"),
        ("GET / HTTP/1.1\r\nHost: sales.localhost\r\nAccept: text/html\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "401"),
        ("GET / HTTP/1.1\r\nHost: sales.localhost\r\nCookie: moor_app=bob\r\n\r\n", "403"),
    ])
    func `who may not see the app is told so`(_ request: String, _ status: String) async throws {
        try await withMirror { gateway in
            try await gateway.connect { connection in
                try await connection.send(request)
                #expect(try await connection.readMessage().status == status)
                // The connection goes on, and is not out of step.
                try await connection.send("GET / HTTP/1.1\r\n\(toSales)\r\n")
                #expect(try await connection.readMessage().status == "200")
            }
        }
    }

    @Test func `without a replica only the owner is told why`() async throws {
        try await withGateway { gateway in
            await gateway.publish([], reason: "all replicas of v3 are backing off")
            let owner = try await gateway.ask("GET / HTTP/1.1\r\n\(toSales)\r\n")
            #expect(owner.status == "503" && owner.body.contains("v3 are backing off"))
            let viewer = try await gateway.ask(
                "GET / HTTP/1.1\r\nHost: sales.localhost\r\nCookie: moor_app=eve\r\nAccept: text/html\r\n\r\n")
            #expect(viewer.status == "503" && !viewer.body.contains("v3") && viewer.body.contains("“sales” is not available"))
        }
    }
}
