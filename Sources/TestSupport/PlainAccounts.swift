import Foundation
import GRDB
package import Models
package import Store
import Synchronization

/// Accounts over the real tables with readable secrets, for tests of what stands in front of them: the password of "bob" is
/// "password-of-bob", and its token "ci" is "token-bob-ci".
package final class PlainAccounts: Authenticator, AccountOperations {
    package let store: DataStore
    private let seen = Mutex<[String]>([])

    package init(store: DataStore) { self.store = store }

    /// The addresses that tried to authenticate, in order.
    package var addresses: [String] { seen.withLock { $0 } }

    package static func password(of username: String) -> String { "password-of-\(username)" }
    package static func token(_ name: String, of username: String) -> String { "token-\(username)-\(name)" }

    /// Not a hash: the secret itself in 32 bytes.
    private static func key(_ token: String) -> Data {
        let bytes = Array(token.utf8)
        precondition(bytes.count <= 32, "a test's token must fit the column")
        return Data(bytes + Array(repeating: 0, count: 32 - bytes.count))
    }

    package func principal(username: String, password: String, address: String) async throws(MoorError) -> Principal {
        if password == Self.password(of: username) {
            seen.withLock { $0.append(address) }
            if let user = try await store.read({ db in try UserRecord.filter(Column("username") == username).fetchOne(db) }) {
                return Principal(userID: user.id!, username: user.username, role: user.role, means: .password)
            }
        }
        return try await principal(bearer: password, address: address)
    }

    package func principal(bearer token: String, address: String) async throws(MoorError) -> Principal {
        seen.withLock { $0.append(address) }
        let wrong = MoorError(.unauthenticated, "the credentials are wrong", hint: "sign in again")
        guard token.utf8.count <= 32 else { throw wrong }
        let key = Self.key(token)
        let found = try await store.read { db -> Principal? in
            guard let token = try TokenRecord.filter(Column("hash") == key).fetchOne(db),
                let user = try UserRecord.fetchOne(db, key: token.userID)
            else { return nil }
            return Principal(userID: user.id!, username: user.username, role: user.role, means: .token(token.id!))
        }
        guard let found else { throw wrong }
        return found
    }

    package func principal(session cookie: String) async throws(MoorError) -> Principal? { nil }

    package func users() async throws(MoorError) -> [UserSummary] {
        try await store.read { db in
            try UserRecord.order(Column("username")).fetchAll(db).map {
                UserSummary(username: $0.username, name: $0.name, email: $0.email, role: $0.role, groups: [])
            }
        }
    }

    package func addUser(_ user: UserSummary, password: String) async throws(MoorError) {
        try await store.write { db in
            guard try UserRecord.filter(Column("username") == user.username).fetchCount(db) == 0 else {
                throw MoorError(.conflict, "“\(user.username)” is taken", hint: "choose another name")
            }
            var record = UserRecord(username: user.username, name: user.name, email: user.email, role: user.role, createdAt: now())
            try record.insert(db)
        }
    }

    package func removeUser(_ username: String) async throws(MoorError) {
        try await store.write { db in
            guard try UserRecord.filter(Column("username") == username).deleteAll(db) == 1 else {
                throw MoorError(.notFound, "there is no user “\(username)”")
            }
        }
    }

    package func setPassword(_ username: String, password: String) async throws(MoorError) {}

    package func tokens(of userID: UserID) async throws(MoorError) -> [TokenSummary] {
        try await store.read { db in
            try TokenRecord.filter(Column("userID") == userID).order(Column("name")).fetchAll(db).map {
                TokenSummary(name: $0.name, createdAt: $0.createdAt, lastUsedAt: $0.lastUsedAt, expiresAt: $0.expiresAt)
            }
        }
    }

    package func createToken(for userID: UserID, name: String, expiresInDays: Int?) async throws(MoorError) -> String {
        try await store.write { db in
            guard let user = try UserRecord.fetchOne(db, key: userID) else { throw MoorError(.notFound, "there is no such user") }
            guard try TokenRecord.filter(Column("userID") == userID && Column("name") == name).fetchCount(db) == 0 else {
                throw MoorError(.conflict, "there is a token “\(name)” already", hint: "revoke it first")
            }
            let token = Self.token(name, of: user.username)
            var record = TokenRecord(
                userID: userID, name: name, hash: Self.key(token), createdAt: now(),
                expiresAt: expiresInDays.map { now() + Double($0) * 86_400 })
            try record.insert(db)
            return token
        }
    }

    package func revokeToken(of userID: UserID, name: String) async throws(MoorError) {
        try await store.write { db in
            guard try TokenRecord.filter(Column("userID") == userID && Column("name") == name).deleteAll(db) == 1 else {
                throw MoorError(.notFound, "you have no token “\(name)”")
            }
        }
    }

    package func signIn(username: String, password: String, address: String) async throws(MoorError) -> String { "" }
    package func signOut(session cookie: String) async throws(MoorError) {}
    package func issueCode(session cookie: String, appID: AppID, state: String) async throws(MoorError) -> String { "" }
    package func redeemCode(_ code: String, appID: AppID, state: String) async throws(MoorError) -> String { "" }
    package func jwks() async -> String { #"{"keys":[]}"# }
}
