package import Foundation
import GRDB
package import Models

/// One config variable of an app, its value sealed with the platform's key.
package struct ConfigValueRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "config"

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
