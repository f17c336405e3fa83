package import Foundation
import GRDB
package import Models

/// A one-time code from the panel to an app's host, deleted when used.
package struct OneTimeCodeRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "oneTimeCodes"

    package var hash: Data
    package var sessionID: SessionID
    package var appID: AppID
    package var stateHash: Data
    package var expiresAt: Double

    package init(
        hash: Data,
        sessionID: SessionID,
        appID: AppID,
        stateHash: Data,
        expiresAt: Double
    ) {
        self.hash = hash
        self.sessionID = sessionID
        self.appID = appID
        self.stateHash = stateHash
        self.expiresAt = expiresAt
    }
}
