import Foundation
import GRDB
import Logging
package import Models
import Store

extension AccountService: Authenticator {
    package func principal(username: String, password: String, address: String) async throws(MoorError) -> Principal {
        if Self.looksLikeToken(password) {
            if let (user, tokenID) = try await userOfToken(password), user.username.lowercased() == username.lowercased() {
                return principal(user, .token(tokenID))
            }
            throw refusal(account: username, address: address, Self.wrongCredentials)
        }
        let account = username.lowercased()
        // Before the cache is asked: a blocked guesser must not learn from it.
        if let wait = limiter.wait(account: account, address: address, now: clock()) { throw Self.tooMany(wait) }
        if let userID = verified.user(username: username, password: password, now: clock()),
            let user = try await store.read({ try UserRecord.enabled(userID, $0) })
        {
            return principal(user, .password)
        }
        if let wait = limiter.admit(account: account, address: address, now: clock()) { throw Self.tooMany(wait) }
        do {
            let user = try await checkPassword(username: username, password: password)
            if user != nil { limiter.succeeded(account: account, address: address) }
            if let user { return principal(user, .password) }
        } catch {
            limiter.withdrawn(account: account, address: address)
            throw error
        }
        logger.info("sign-in refused", metadata: ["user": "\(Username.printable(username))", "address": "\(address)"])
        throw Self.wrongCredentials
    }

    package func principal(bearer token: String, address: String) async throws(MoorError) -> Principal {
        if Self.looksLikeToken(token), let (user, tokenID) = try await userOfToken(token) { return principal(user, .token(tokenID)) }
        throw refusal(
            account: "", address: address,
            MoorError(.unauthenticated, "the token is wrong, revoked or expired", hint: "make a new one with `moor tokens create`"))
    }

    package func principal(session cookie: String) async throws(MoorError) -> Principal? {
        let (hash, now) = (Secret.hash(cookie), clock())
        return try await store.read { db in
            guard let session = try SessionRecord.live(hash, now: now, db), session.parentID == nil,
                let user = try UserRecord.enabled(session.userID, db)
            else { return nil }
            return Principal(userID: session.userID, username: user.username, role: user.role, means: .session(session.id!))
        }
    }

    /// The enabled user whose password that is. Costs one derivation whoever is named.
    private func checkPassword(username: String, password: String) async throws(MoorError) -> UserRecord? {
        let generation = verified.generation
        let user = try await store.read { try UserRecord.filter(Column("username") == username).fetchOne($0) }
        let verification = try await hasher.verify(password, against: user?.passwordHash)
        guard verification.matches, let user, let userID = user.id, user.disabledAt == nil else { return nil }
        if let rehashed = verification.rehashed {
            try await store.write { db in
                // Only where nobody changed the password meanwhile.
                try db.execute(
                    sql: "UPDATE users SET passwordHash = ? WHERE id = ? AND passwordHash = ?",
                    arguments: [rehashed, userID, user.passwordHash])
            }
        }
        verified.remember(userID, username: username, password: password, now: clock(), generation: generation)
        return user
    }

    private nonisolated func principal(_ user: UserRecord, _ means: Principal.Means) -> Principal {
        Principal(userID: user.id!, username: user.username, role: user.role, means: means)
    }

    /// A wrong token costs nothing to check and cannot be guessed, so a right one is never refused for others' wrong
    /// ones; those still count, so that they end in 429 rather than in a full log.
    private func refusal(account: String, address: String, _ error: MoorError) -> MoorError {
        guard let wait = limiter.admit(account: account.lowercased(), address: address, now: clock()) else { return error }
        return Self.tooMany(wait)
    }

    static let wrongCredentials = MoorError(
        .unauthenticated, "the user name or the password is wrong", hint: "check both; for git, a token works in the password's place")

    static func tooMany(_ seconds: Double) -> MoorError {
        let whole = Int(seconds.rounded(.up))
        let wait = whole < 120 ? "\(whole) seconds" : "\((whole + 59) / 60) minutes"
        var error = MoorError(.rateLimited, "too many wrong tries from this address", hint: "wait \(wait), then try again")
        error.retryAfterSeconds = max(1, whole)
        return error
    }
}

extension UserRecord {
    static func enabled(_ id: UserID, _ db: Database) throws -> UserRecord? {
        try filter(Column("id") == id && Column("disabledAt") == nil).fetchOne(db)
    }

    static func named(_ username: String, _ db: Database) throws -> UserRecord {
        guard let user = try filter(Column("username") == username).fetchOne(db) else {
            throw MoorError(.notFound, "there is no user “\(Username.printable(username))”", hint: "`moor users list` shows all")
        }
        return user
    }
}
