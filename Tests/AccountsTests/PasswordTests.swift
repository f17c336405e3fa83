import Foundation
import GRDB
import Models
import Store
import Testing

@testable import Accounts

@Suite struct PasswordTests {
    @Test func `a derivation matches the test vector of RFC 7914 section 12`() throws {
        let key = try PasswordHash.derive(
            "pleaseletmein", salt: Data("SodiumChloride".utf8), cost: PasswordCost(rounds: 16_384, blockSize: 8, parallelism: 1))
        // The first 32 of the vector's 64 bytes: PBKDF2 makes its output block by block.
        #expect(key.map { String($0, radix: 16) }.joined(separator: " ").hasPrefix("70 23 bd cb 3a fd 73 48 46 1c 6 cd 81 fd 38 eb"))
    }

    @Test func `a stored hash reads back as what was written`() throws {
        let hash = PasswordHash(cost: .standard, salt: Data(repeating: 7, count: 16), key: Data(repeating: 255, count: 32))
        #expect(hash.encoded.hasPrefix("scrypt$32768$8$1$BwcH"))
        #expect(PasswordHash(encoded: hash.encoded) == hash)
    }

    @Test(arguments: [
        "", "scrypt", "bcrypt$16$8$1$BwcHBwcHBwcHBwcHBwcHBw$AA",
        "scrypt$15$8$1$BwcHBwcHBwcHBwcHBwcHBw$\(String(repeating: "A", count: 43))",
        "scrypt$1073741824$8$1$BwcHBwcHBwcHBwcHBwcHBw$\(String(repeating: "A", count: 43))", "scrypt$16$8$1$BwcHBwcHBwcHBwcHBwcHBw$AAAA",
    ])
    func `a damaged hash is no hash`(encoded: String) {
        #expect(PasswordHash(encoded: encoded) == nil)
    }

    @Test func `only the right password matches`() async throws {
        let hasher = PasswordHasher(cost: Harness.cost)
        let hash = try await hasher.hash("Grüße aus dem Hafen")
        for (password, expected) in [
            ("Grüße aus dem Hafen", true), ("Gru\u{308}ße aus dem Hafen", true), ("grüße aus dem hafen", false), ("", false),
            ("Grüße aus dem Hafen ", false),
        ] {
            #expect(try await hasher.verify(password, against: hash).matches == expected, "\(password)")
        }
    }

    @Test func `the same password is stored differently each time`() async throws {
        let hasher = PasswordHasher(cost: Harness.cost)
        #expect(try await hasher.hash("correct horse") != hasher.hash("correct horse"))
    }

    @Test func `an unknown user costs as many derivations as a wrong password`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("grace")
            for username in ["grace", "nobody", ""] {
                let before = await harness.service.hasher.derivations
                let refused = await errorCode {
                    try await harness.service.principal(username: username, password: "wrong horse", address: "192.0.2.9")
                }
                #expect(refused == .unauthenticated)
                #expect(await harness.service.hasher.derivations == before + 1, "\(username)")
            }
        }
    }

    @Test func `a hash of another cost is made anew at the next sign-in`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("grace")
            let dearer = try await Harness.makeService(
                harness.store, folder: harness.folder, clock: harness.clock, voidings: harness.voidings,
                cost: PasswordCost(rounds: 32, blockSize: 8, parallelism: 1))
            _ = try await dearer.principal(username: "grace", password: "correct horse", address: "127.0.0.1")
            let stored = try await harness.store.read { try UserRecord.filter(Column("username") == "grace").fetchOne($0)?.passwordHash }
            #expect(stored?.hasPrefix("scrypt$32$8$1$") == true)
            #expect(try await PasswordHasher(cost: Harness.cost).verify("correct horse", against: stored).matches)
        }
    }

    @Test func `checking the same password again within a minute costs no derivation`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("grace")
            let before = await harness.service.hasher.derivations
            _ = try await harness.service.principal(username: "grace", password: "correct horse", address: "127.0.0.1")
            #expect(await harness.service.hasher.derivations == before)
            harness.clock.advance(61)
            _ = try await harness.service.principal(username: "grace", password: "correct horse", address: "127.0.0.1")
            #expect(await harness.service.hasher.derivations == before + 1)
        }
    }

    @Test func `a changed password voids what was verified and every session`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("grace")
            let cookie = try await harness.signIn("grace")
            try await harness.service.setPassword("grace", password: "battery staple")
            #expect(harness.voidings.count == 1)
            #expect(try await harness.service.principal(session: cookie) == nil)
            let old = await errorCode {
                try await harness.service.principal(username: "grace", password: "correct horse", address: "127.0.0.1")
            }
            #expect(old == .unauthenticated)
            _ = try await harness.service.principal(username: "grace", password: "battery staple", address: "127.0.0.1")
        }
    }

    @Test func `a check that began before the password changed is not remembered`() {
        var cache = CredentialCache()
        let generation = cache.generation
        cache.void()
        cache.remember(UserID(1), username: "grace", password: "correct horse", now: 0, generation: generation)
        #expect(cache.user(username: "grace", password: "correct horse", now: 1) == nil)
    }
}
