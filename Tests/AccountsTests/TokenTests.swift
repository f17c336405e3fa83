import GRDB
import Models
import Store
import Testing

@testable import Accounts

@Suite struct TokenTests {
    @Test func `a token opens the API and git for its owner alone`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            try await harness.addUser("alan")
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            #expect(token.hasPrefix("moor_") && token.count == 48)
            #expect(try await harness.service.principal(bearer: token, address: "192.0.2.1").username == "grace")
            #expect(try await harness.service.principal(username: "Grace", password: token, address: "192.0.2.1").userID == grace.userID)
            let wrongUser = await errorCode { try await harness.service.principal(username: "alan", password: token, address: "192.0.2.1") }
            #expect(wrongUser == .unauthenticated)
        }
    }

    @Test func `a token is kept as a hash only`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            let row = try await harness.store.read { try Row.fetchOne($0, sql: "SELECT * FROM tokens")!.description }
            #expect(!row.contains(token.dropFirst(5)))
        }
    }

    @Test func `a revoked token is refused`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            try await harness.service.revokeToken(of: grace.userID, name: "laptop")
            #expect(await errorCode { try await harness.service.principal(bearer: token, address: "192.0.2.1") } == .unauthenticated)
            #expect(await errorCode { try await harness.service.revokeToken(of: grace.userID, name: "laptop") } == .notFound)
        }
    }

    @Test func `a token ends on its day`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: 30)
            harness.clock.advance(30 * 86_400 - 1)
            _ = try await harness.service.principal(bearer: token, address: "192.0.2.1")
            harness.clock.advance(1)
            #expect(await errorCode { try await harness.service.principal(bearer: token, address: "192.0.2.1") } == .unauthenticated)
        }
    }

    @Test func `use is written down once a minute at most`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            func lastUse() async throws -> Double? {
                _ = try await harness.service.principal(bearer: token, address: "192.0.2.1")
                return try await harness.service.tokens(of: grace.userID).first?.lastUsedAt
            }
            let first = harness.clock.now
            #expect(try await lastUse() == first)
            harness.clock.advance(59)
            #expect(try await lastUse() == first)
            harness.clock.advance(1)
            #expect(try await lastUse() == first + 60)
        }
    }

    @Test func `wrong tokens end in 429 while right ones still work`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            let wrong = "moor_" + String(repeating: "x", count: 43)
            var codes: [MoorError.Code?] = []
            for _ in 0..<7 { codes.append(await errorCode { try await harness.service.principal(bearer: wrong, address: "192.0.2.1") }) }
            #expect(codes.first == .unauthenticated && codes.last == .rateLimited)
            _ = try await harness.service.principal(bearer: token, address: "192.0.2.1")
        }
    }

    @Test func `two tokens of one user cannot share a name`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            _ = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            #expect(
                await errorCode { try await harness.service.createToken(for: grace.userID, name: " laptop ", expiresInDays: nil) }
                    == .conflict)
            for (name, days) in [("", nil), (String(repeating: "n", count: 65), nil), ("a\u{1B}b", nil), ("x", 0)] as [(String, Int?)] {
                #expect(
                    await errorCode { try await harness.service.createToken(for: grace.userID, name: name, expiresInDays: days) }
                        == .invalid)
            }
        }
    }
}
