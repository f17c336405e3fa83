package import Foundation
package import GRDB
package import Models

/// Image + config snapshot + process formation, numbered per app.
package struct ReleaseRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "releases"

    package enum State: String, Codable, Sendable, DatabaseValueConvertible {
        case rolling, live, superseded, failed
    }

    package enum Cause: String, Codable, Sendable, DatabaseValueConvertible {
        case push, config, rollback
    }

    package var id: ReleaseID?
    package var appID: AppID
    package var number: Int
    package var imageID: ImageID
    package var sealedConfig: Data
    package var formation: Formation
    package var cause: Cause
    package var description: String
    package var userID: UserID?
    package var pushID: PushID?
    package var state: State
    package var failure: String?
    package var createdAt: Double
    package var liveAt: Double?
    /// By process, what people set in place of what the formation says; taken over by the next release.
    package var wishes: [String: ResourceWish]?

    package init(
        id: ReleaseID? = nil,
        appID: AppID,
        number: Int,
        imageID: ImageID,
        sealedConfig: Data,
        formation: Formation,
        cause: Cause,
        description: String,
        userID: UserID? = nil,
        pushID: PushID? = nil,
        state: State,
        failure: String? = nil,
        createdAt: Double,
        liveAt: Double? = nil,
        wishes: [String: ResourceWish]? = nil
    ) {
        self.id = id
        self.appID = appID
        self.number = number
        self.imageID = imageID
        self.sealedConfig = sealedConfig
        self.formation = formation
        self.cause = cause
        self.description = description
        self.userID = userID
        self.pushID = pushID
        self.state = state
        self.failure = failure
        self.createdAt = createdAt
        self.liveAt = liveAt
        self.wishes = wishes
    }

    /// The formation as it runs: with what people set.
    package var processes: Formation { formation.map { wishes?[$0.name]?.applied(to: $0) ?? $0 } }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
