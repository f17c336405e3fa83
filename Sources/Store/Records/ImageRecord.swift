package import GRDB
package import Models

/// An image in the engine, never changed once built.
package struct ImageRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "images"

    package var id: ImageID?
    package var buildID: BuildID
    package var digest: String
    package var reference: String
    package var bytes: Int64
    package var formation: Formation
    package var createdAt: Double
    package var removedAt: Double?

    package init(
        id: ImageID? = nil,
        buildID: BuildID,
        digest: String,
        reference: String,
        bytes: Int64,
        formation: Formation,
        createdAt: Double,
        removedAt: Double? = nil
    ) {
        self.id = id
        self.buildID = buildID
        self.digest = digest
        self.reference = reference
        self.bytes = bytes
        self.formation = formation
        self.createdAt = createdAt
        self.removedAt = removedAt
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
