package import Foundation
import GRDB
package import Models

/// One value that an app's builds are given, sealed with the platform's key.
package struct BuildConfigValueRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "buildConfig"

    package var appID: AppID
    package var key: String
    package var sealedValue: Data
    package var updatedAt: Double

    package init(
        appID: AppID,
        key: String,
        sealedValue: Data,
        updatedAt: Double
    ) {
        self.appID = appID
        self.key = key
        self.sealedValue = sealedValue
        self.updatedAt = updatedAt
    }
}
