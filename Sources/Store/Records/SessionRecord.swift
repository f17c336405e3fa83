package import Foundation
package import GRDB
package import Models

/// A panel session, or (with `parentID` and `appID`) the session on one app's host that hangs on it.
package struct SessionRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "sessions"

    package var id: SessionID?
    package var userID: UserID
    package var parentID: SessionID?
    package var appID: AppID?
    package var hash: Data
    package var createdAt: Double
    package var expiresAt: Double

    package init(
        id: SessionID? = nil,
        userID: UserID,
        parentID: SessionID? = nil,
        appID: AppID? = nil,
        hash: Data,
        createdAt: Double,
        expiresAt: Double
    ) {
        self.id = id
        self.userID = userID
        self.parentID = parentID
        self.appID = appID
        self.hash = hash
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
