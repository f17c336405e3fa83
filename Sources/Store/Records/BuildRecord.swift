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
    /// The name of the topmost layer below the app; nil before it is there, and where the app stands on the base alone.
    package var layer: String?
    /// The engine's id of that layer, or of the base.
    package var layerID: String?

    package init(
        id: BuildID? = nil,
        pushID: PushID,
        treeID: String,
        buildpack: String? = nil,
        reason: String? = nil,
        state: State,
        failure: String? = nil,
        startedAt: Double,
        endedAt: Double? = nil,
        layer: String? = nil,
        layerID: String? = nil
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
        self.layer = layer
        self.layerID = layerID
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
