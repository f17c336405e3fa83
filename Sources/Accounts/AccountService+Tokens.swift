import Foundation
import GRDB
package import Models
import Store

extension AccountService {
    private static let tokenPrefix = "moor_"

    /// Whether it has a token's exact shape; then it is never tried as a password, which would cost scrypt.
    static func looksLikeToken(_ text: String) -> Bool { text.hasPrefix(tokenPrefix) && text.utf8.count == tokenPrefix.utf8.count + 43 }

    package func tokens(of userID: UserID) async throws(MoorError) -> [TokenSummary] {
        try await store.read { db in
            try TokenRecord.filter(Column("userID") == userID).order(Column("createdAt"), Column("id")).fetchAll(db).map {
                TokenSummary(name: $0.name, createdAt: $0.createdAt, lastUsedAt: $0.lastUsedAt, expiresAt: $0.expiresAt)
            }
        }
    }

    package func createToken(for userID: UserID, name: String, expiresInDays: Int?) async throws(MoorError) -> String {
        let name = name.trimmingCharacters(in: .whitespaces)
        guard (1...64).contains(name.unicodeScalars.count), !Username.hasControls(name) else {
            throw MoorError(
                .invalid, "a token needs a name of 1 to 64 characters", hint: "name it after where it will be used, such as laptop")
        }
        if let expiresInDays, !(1...3_650).contains(expiresInDays) {
            throw MoorError(
                .invalid, "a token cannot live \(expiresInDays) days", hint: "choose 1 to 3650 days, or leave it out for no end")
        }
        let token = Self.tokenPrefix + Secret.random()
        let createdAt = clock()
        try await store.write { db in
            guard try TokenRecord.filter(Column("userID") == userID && Column("name") == name).isEmpty(db) else {
                throw MoorError(
                    .conflict, "there is a token named “\(name)” already", hint: "choose another name, or revoke that one first")
            }
            var record = TokenRecord(
                userID: userID, name: name, hash: Secret.hash(token), createdAt: createdAt,
                expiresAt: expiresInDays.map { createdAt + Double($0) * 86_400 })
            try record.insert(db)
        }
        return token
    }

    package func revokeToken(of userID: UserID, name: String) async throws(MoorError) {
        let removed = try await store.write { db in
            try TokenRecord.filter(Column("userID") == userID && Column("name") == name).deleteAll(db)
        }
        guard removed > 0 else {
            throw MoorError(
                .notFound, "there is no token named “\(Username.printable(name))”", hint: "the list of tokens shows their names")
        }
    }

    /// The enabled owner of a token that has not expired. Its use is written down once a minute at most.
    func userOfToken(_ token: String) async throws(MoorError) -> (UserRecord, TokenID)? {
        let (hash, now) = (Secret.hash(token), clock())
        let found: (UserRecord, TokenRecord)? = try await store.read { db in
            guard let record = try TokenRecord.filter(Column("hash") == hash).fetchOne(db), record.expiresAt ?? .infinity > now,
                let user = try UserRecord.enabled(record.userID, db)
            else { return nil }
            return (user, record)
        }
        guard let (user, record) = found, let tokenID = record.id else { return nil }
        if now - (record.lastUsedAt ?? -.infinity) >= 60 {
            try await store.write { db in
                try db.execute(sql: "UPDATE tokens SET lastUsedAt = ? WHERE id = ?", arguments: [now, tokenID])
            }
        }
        return (user, tokenID)
    }
}
