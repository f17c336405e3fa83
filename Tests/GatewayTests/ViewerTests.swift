import Gateway
import Models
import NIOCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)))
struct ViewerTests {
    private let request = "GET / HTTP/1.1\r\n\(toSales)\r\n"

    @Test func `a viewer is asked about once and remembered`() async throws {
        let authority = TestAuthority()
        try await withMirror(authority) { gateway in
            for _ in 0..<5 {
                let answer = try await gateway.ask(request)
                #expect(answer.status == "200")
            }
        }
        #expect(authority.count == 1)
    }

    @Test func `a new epoch voids what was remembered`() async throws {
        let authority = TestAuthority()
        try await withListener(serve: mirror) { address in
            try await withGateway(authority, loops: 2) { gateway in
                for epoch in 1...3 {
                    await gateway.publish([address], epoch: UInt64(epoch))
                    let answer = try await gateway.ask(request)
                    #expect(answer.status == "200")
                    #expect(authority.count == epoch)
                }
            }
        }
    }

    @Test func `a decision that is not to be remembered is asked for each time`() async throws {
        let authority = TestAuthority(remember: .zero)
        try await withMirror(authority) { gateway in
            for _ in 0..<3 {
                let answer = try await gateway.ask(request)
                #expect(answer.status == "200")
            }
        }
        #expect(authority.count == 3)
    }

    @Test func `requests of one viewer at once ask once, and wait without being read`() async throws {
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let authority = TestAuthority { _, _ in
            for await _ in gate { break }
            return .allow(ViewerHeaders(fields: [.init("X-Forwarded-User", "ada")]), remember: .seconds(60))
        }
        try await withMirror(authority) { gateway in
            let statuses = try await withThrowingTaskGroup(of: String.self) { tasks in
                for _ in 0..<10 { tasks.addTask { try await gateway.ask(request).status } }
                while await gateway.service.counters().decisions < 10 {}
                opener.yield()
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: "200", count: 10))
        }
        #expect(authority.count == 1)
    }

    @Test func `an answer from before the new epoch does not count`() async throws {
        let (gate, opener) = AsyncStream.makeStream(of: ViewerDecision.self)
        let authority = TestAuthority { _, _ in
            for await decision in gate { return decision }
            return .signIn
        }
        try await withListener(serve: mirror) { address in
            try await withGateway(authority) { gateway in
                await gateway.publish([address])
                try await gateway.connect { connection in
                    try await connection.send(request)
                    while authority.count < 1 {}
                    await gateway.publish([address], epoch: 1)
                    while authority.count < 2 {}
                    opener.yield(.allow(ViewerHeaders(), remember: .seconds(60)))
                    opener.yield(.allow(ViewerHeaders(), remember: .seconds(60)))
                    #expect(try await connection.readMessage().status == "200")
                }
            }
        }
        #expect(authority.count == 2)
    }

    @Test func `a value that would break out of its line is left out`() async throws {
        let authority = TestAuthority { _, _ in
            .allow(
                ViewerHeaders(fields: [.init("X-Moor-Name", "a\r\nX-Evil: 1"), .init("X-Moor Bad", "b"), .init("X-Moor-Good", "é")]),
                remember: .seconds(1))
        }
        try await withMirror(authority) { gateway in
            let seen = RawMessage(head: try await gateway.ask(request).body)
            #expect(seen["x-evil"] == nil && seen["x-moor-name"] == nil && seen["x-moor-good"] == "é")
        }
    }
}
