package import GRDB
package import Models

/// An app; `liveReleaseID` is what the gateway serves, `deletingAt` marks one whose removal has begun.
package struct AppRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "apps"

    package var id: AppID?
    package var name: AppName
    package var ownerID: UserID
    package var access: AccessMode
    package var deployBranch: String?
    package var liveReleaseID: ReleaseID?
    package var createdAt: Double
    package var deletingAt: Double?

    package init(
        id: AppID? = nil,
        name: AppName,
        ownerID: UserID,
        access: AccessMode,
        deployBranch: String? = nil,
        liveReleaseID: ReleaseID? = nil,
        createdAt: Double,
        deletingAt: Double? = nil
    ) {
        self.id = id
        self.name = name
        self.ownerID = ownerID
        self.access = access
        self.deployBranch = deployBranch
        self.liveReleaseID = liveReleaseID
        self.createdAt = createdAt
        self.deletingAt = deletingAt
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
