import GRDB
package import Models

/// How many replicas of a process people asked for; outlives releases.
package struct ScaleRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "scales"

    package var appID: AppID
    package var process: String
    package var replicas: Int

    package init(
        appID: AppID,
        process: String,
        replicas: Int
    ) {
        self.appID = appID
        self.process = process
        self.replicas = replicas
    }
}
