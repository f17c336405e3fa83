package import Foundation
package import GRDB
package import Models

/// An API or git token, stored as its SHA-256.
package struct TokenRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "tokens"

    package var id: TokenID?
    package var userID: UserID
    package var name: String
    package var hash: Data
    package var createdAt: Double
    package var lastUsedAt: Double?
    package var expiresAt: Double?

    package init(
        id: TokenID? = nil,
        userID: UserID,
        name: String,
        hash: Data,
        createdAt: Double,
        lastUsedAt: Double? = nil,
        expiresAt: Double? = nil
    ) {
        self.id = id
        self.userID = userID
        self.name = name
        self.hash = hash
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
