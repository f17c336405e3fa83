import GRDB
package import Models

/// A user named on an app; the owner is in `apps.ownerID`.
package struct CollaboratorRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "collaborators"

    package var appID: AppID
    package var userID: UserID
    package var role: AppRole

    package init(
        appID: AppID,
        userID: UserID,
        role: AppRole
    ) {
        self.appID = appID
        self.userID = userID
        self.role = role
    }
}
