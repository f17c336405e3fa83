package import GRDB
package import Models

/// One push to an app's deploy branch.
package struct PushRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "pushes"

    package enum State: String, Codable, Sendable, DatabaseValueConvertible {
        case waiting, deploying, accepted, rejected, cancelled
    }

    package var id: PushID?
    package var appID: AppID
    package var userID: UserID?
    package var ref: String
    package var beforeCommit: String?
    package var afterCommit: String
    package var subject: String
    package var state: State
    package var failure: String?
    package var startedAt: Double
    package var endedAt: Double?

    package init(
        id: PushID? = nil,
        appID: AppID,
        userID: UserID? = nil,
        ref: String,
        beforeCommit: String? = nil,
        afterCommit: String,
        subject: String,
        state: State,
        failure: String? = nil,
        startedAt: Double,
        endedAt: Double? = nil
    ) {
        self.id = id
        self.appID = appID
        self.userID = userID
        self.ref = ref
        self.beforeCommit = beforeCommit
        self.afterCommit = afterCommit
        self.subject = subject
        self.state = state
        self.failure = failure
        self.startedAt = startedAt
        self.endedAt = endedAt
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = .init(inserted.rowID) }
}
