package import GRDB
package import Models

/// A local account; `passwordHash` is an encoded scrypt hash.
package struct UserRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "users"

    package var id: UserID?
    package var username: String
    package var name: String
    package var email: String
    package var passwordHash: String?
    package var role: PlatformRole
    package var createdAt: Double
    package var disabledAt: Double?

    package init(
        id: UserID? = nil,
        username: String,
        name: String,
        email: String,
        passwordHash: String? = nil,
        role: PlatformRole,
        createdAt: Double,
        disabledAt: Double? = nil
    ) {
        self.id = id
        self.username = username
        self.name = name
        self.email = email
        self.passwordHash = passwordHash
        self.role = role
        self.createdAt = createdAt
        self.disabledAt = disabledAt
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
