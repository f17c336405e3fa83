import GRDB
package import Models

/// A host name that an app answers on.
package struct RouteRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "routes"

    package var host: String
    package var appID: AppID
    package var createdAt: Double

    package init(
        host: String,
        appID: AppID,
        createdAt: Double
    ) {
        self.host = host
        self.appID = appID
        self.createdAt = createdAt
    }
}
