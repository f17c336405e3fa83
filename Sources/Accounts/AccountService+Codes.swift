import Foundation
import GRDB
package import Models
import Store

extension AccountService {
    private static let codeLifetime = 60.0

    package func issueCode(session cookie: String, appID: AppID, state: String) async throws(MoorError) -> String {
        guard (16...128).contains(state.utf8.count) else {
            throw MoorError(.invalid, "the sign-in did not start at the app", hint: "open the app's own URL")
        }
        let code = Secret.random()
        let (hash, now) = (Secret.hash(cookie), clock())
        try await store.write { db in
            guard let session = try SessionRecord.live(hash, now: now, db), session.parentID == nil,
                let user = try UserRecord.enabled(session.userID, db)
            else { throw MoorError(.unauthenticated, "nobody is signed in", hint: "sign in first") }
            guard let app = try AppRecord.filter(Column("id") == appID && Column("deletingAt") == nil).fetchOne(db) else {
                throw MoorError(.notFound, "there is no such app", hint: "check the URL")
            }
            let viewer = Principal(userID: session.userID, username: user.username, role: user.role, means: .session(session.id!))
            guard try AppRecord.allows(.view, viewer, app, db) else {
                throw MoorError(.forbidden, "you may not see \(app.name)", hint: "ask its owner to name you as a viewer")
            }
            try OneTimeCodeRecord(
                hash: Secret.hash(code), sessionID: session.id!, appID: appID, stateHash: Secret.hash(state),
                expiresAt: now + Self.codeLifetime
            ).insert(db)
        }
        return code
    }

    package func redeemCode(_ code: String, appID: AppID, state: String) async throws(MoorError) -> String {
        let cookie = Secret.random()
        let (hash, stateHash, cookieHash, now) = (Secret.hash(code), Secret.hash(state), Secret.hash(cookie), clock())
        let lifetime = configuration.appSessionLifetime.inSeconds
        let redeemed: Bool = try await store.write { db in
            guard let record = try OneTimeCodeRecord.filter(Column("hash") == hash).fetchOne(db) else { return false }
            // Deleted on any use, right or wrong, and so never in a transaction that ends by throwing.
            try record.delete(db)
            guard record.appID == appID, Secret.equal(record.stateHash, stateHash), record.expiresAt > now,
                let session = try SessionRecord.filter(Column("id") == record.sessionID && Column("expiresAt") > now).fetchOne(db),
                try UserRecord.enabled(session.userID, db) != nil
            else { return false }
            var child = SessionRecord(
                userID: session.userID, parentID: session.id, appID: appID, hash: cookieHash, createdAt: now,
                expiresAt: min(now + lifetime, session.expiresAt))
            try child.insert(db)
            return true
        }
        guard redeemed else {
            throw MoorError(.unauthenticated, "this sign-in link has been used already or is too old", hint: "open the app again")
        }
        return cookie
    }
}
