import Foundation
import GRDB
import Logging
package import Models
import ServiceLifecycle
import Store

extension AccountService: AccountOperations {
    package func signIn(username: String, password: String, address: String) async throws(MoorError) -> String {
        let principal = try await principal(username: username, password: password, address: address)
        guard case .password = principal.means else {
            throw MoorError(
                .unauthenticated, "a token cannot sign in here", hint: "use your password; tokens are for git and the command line")
        }
        let cookie = Secret.random()
        let createdAt = clock()
        let expiresAt = createdAt + configuration.sessionLifetime.inSeconds
        try await store.write { db in
            var session = SessionRecord(userID: principal.userID, hash: Secret.hash(cookie), createdAt: createdAt, expiresAt: expiresAt)
            try session.insert(db)
        }
        logger.info("signed in", metadata: ["user": "\(principal.username)", "address": "\(address)"])
        return cookie
    }

    /// Ends the panel session and every app's session that hangs on it; given an app's cookie, the same: a viewer who
    /// signed out at one app must not be let in again by the session at the panel.
    package func signOut(session cookie: String) async throws(MoorError) {
        let hash = Secret.hash(cookie)
        let ended = try await store.write { db in
            guard let session = try SessionRecord.filter(Column("hash") == hash).fetchOne(db) else { return 0 }
            return try SessionRecord.filter(Column("id") == (session.parentID ?? session.id)).deleteAll(db)
        }
        if ended > 0 { await viewersChanged() }
    }
}

extension AccountService: Service {
    /// Sweeps expired sessions, codes and tokens until shutdown.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await self.sweep()
                } catch {
                    self.logger.warning("expired sessions could not be swept", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(600))
            }
        }
    }

    /// Expired rows count as absent wherever they are read; this only frees their room.
    func sweep() async throws(MoorError) {
        let now = clock()
        try await store.write { db in
            for table in ["sessions", "oneTimeCodes", "tokens"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE expiresAt <= ?", arguments: [now])
            }
        }
    }
}

extension SessionRecord {
    /// The session of that hash, where neither it nor the one it hangs on has ended.
    static func live(_ hash: Data, now: Double, _ db: Database) throws -> SessionRecord? {
        guard let session = try filter(Column("hash") == hash).fetchOne(db), session.expiresAt > now else { return nil }
        guard let parentID = session.parentID else { return session }
        return try filter(Column("id") == parentID && Column("expiresAt") > now).isEmpty(db) ? nil : session
    }
}
