package import GRDB
package import Models

/// A release that gets a share of the viewers beside the live one; its release stays `rolling` meanwhile.
package struct CanaryRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "canaries"

    package var appID: AppID
    package var releaseID: ReleaseID
    /// Of a hundred viewers, 1 to 99.
    package var percent: Int
    /// nil while its replicas have not come up: it is not to outlive a crash then.
    package var startedAt: Double?

    package init(appID: AppID, releaseID: ReleaseID, percent: Int, startedAt: Double?) {
        self.appID = appID
        self.releaseID = releaseID
        self.percent = percent
        self.startedAt = startedAt
    }

    /// The app's, where it gets viewers.
    package static func started(_ appID: AppID, _ db: Database) throws -> CanaryRecord? {
        try filter(Column("appID") == appID && Column("startedAt") != nil).fetchOne(db)
    }

    /// Web replicas beside `count` of the live release.
    package func replicas(of count: Int) -> Int { min(count, max(1, (count * percent + 99) / 100)) }
}
