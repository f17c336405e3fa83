package import GRDB
package import Models

/// A replica's row stands before its container and outlives it, so that a container without one is an orphan.
package struct ReplicaRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "replicas"

    package var id: ReplicaID?
    package var releaseID: ReleaseID
    package var process: String
    package var ordinal: Int
    package var containerID: String?
    package var state: String
    package var restarts: Int
    package var createdAt: Double

    package init(
        id: ReplicaID? = nil,
        releaseID: ReleaseID,
        process: String,
        ordinal: Int,
        containerID: String? = nil,
        state: String,
        restarts: Int,
        createdAt: Double
    ) {
        self.id = id
        self.releaseID = releaseID
        self.process = process
        self.ordinal = ordinal
        self.containerID = containerID
        self.state = state
        self.restarts = restarts
        self.createdAt = createdAt
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
