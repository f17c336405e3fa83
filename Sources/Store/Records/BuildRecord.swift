package import GRDB
package import Models

/// One build of a push's tree.
package struct BuildRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "builds"

    package enum State: String, Codable, Sendable, DatabaseValueConvertible {
        case queued, running, succeeded, failed, cancelled
    }

    package var id: BuildID?
    package var pushID: PushID
    package var treeID: String
    package var buildpack: String?
    package var reason: String?
    package var state: State
    package var failure: String?
    package var startedAt: Double
    package var endedAt: Double?

    package init(
        id: BuildID? = nil,
        pushID: PushID,
        treeID: String,
        buildpack: String? = nil,
        reason: String? = nil,
        state: State,
        failure: String? = nil,
        startedAt: Double,
        endedAt: Double? = nil
    ) {
        self.id = id
        self.pushID = pushID
        self.treeID = treeID
        self.buildpack = buildpack
        self.reason = reason
        self.state = state
        self.failure = failure
        self.startedAt = startedAt
        self.endedAt = endedAt
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
