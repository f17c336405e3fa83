import Gateway
import Models
import NIOCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)))
struct InsideTests {
    @Test func `apps reach the key set and nothing else`() async throws {
        let fetched = Tally()
        let keys: @Sendable () async -> String = {
            fetched.add(1)
            return #"{"keys":[{"kid":"1"}]}"#
        }
        try await withGateway(configure: { $0.jwks = keys }) { gateway in
            let port = try await gateway.service.bindInside(address: "127.0.0.1")
            #expect(try await gateway.service.bindInside(address: "127.0.0.1") == port)
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
            try await withConnection(to: address) { connection in
                for _ in 0..<3 {
                    try await connection.send("GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n")
                    let answer = try await connection.readMessage()
                    #expect(answer.status == "200" && answer.body == #"{"keys":[{"kid":"1"}]}"#)
                    #expect(answer["content-type"] == "application/json")
                }
                for request in ["GET / ", "POST /.well-known/jwks.json ", "GET /api/v1/apps "] {
                    try await connection.send("\(request)HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    #expect(try await connection.readMessage().status == "404")
                }
            }
            await gateway.service.unbindInside(address: "127.0.0.1")
            await #expect(throws: (any Error).self) { try await withConnection(to: address) { _ in } }
        }
        #expect(fetched.value == 1)
    }

    @Test func `an address that nobody can listen on is said so`() async throws {
        try await withGateway { gateway in
            _ = await refused { try await gateway.service.bindInside(address: "no address") }
        }
    }
}
