import GRDB
package import Models

/// Somebody holds the app's rollouts.
package struct RolloutPauseRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "rolloutPauses"

    package var appID: AppID
    package var username: String
    package var pausedAt: Double

    package init(appID: AppID, username: String, pausedAt: Double) {
        self.appID = appID
        self.username = username
        self.pausedAt = pausedAt
    }
}
