package import GRDB
package import Models

extension AppRecord {
    /// The app of that name; nil where there is none or its removal has begun.
    package static func named(_ name: AppName, _ db: Database) throws -> AppRecord? {
        try filter(Column("name") == name && Column("deletingAt") == nil).fetchOne(db)
    }

    /// What the user is to the app; nil where nothing.
    package static func role(of userID: UserID, in app: AppRecord, _ db: Database) throws -> AppRole? {
        if app.ownerID == userID { return .owner }
        let collaborator = try CollaboratorRecord.filter(Column("appID") == app.id && Column("userID") == userID).fetchOne(db)
        return collaborator?.role
    }

    /// Whether the principal may do `action` to the app, by `AppPolicy`.
    package static func allows(_ action: AppAction, _ principal: Principal?, _ app: AppRecord, _ db: Database) throws -> Bool {
        var appRole: AppRole?
        if let principal { appRole = try role(of: principal.userID, in: app, db) }
        return AppPolicy.allows(action, principal: principal, appRole: appRole, access: app.access)
    }
}
