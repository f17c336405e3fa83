import GRDB
import Models
import Store

/// A signed-in viewer of one app, as the store knows them.
struct Viewer: Sendable {
    var userID: UserID
    var username: String
    var name: String
    var email: String
    var role: PlatformRole
    var appRole: AppRole?
    var groups: [String]

    init(_ user: UserRecord, of app: AppRecord, _ db: Database) throws {
        userID = user.id!
        username = user.username
        name = user.name
        email = user.email
        role = user.role
        appRole = try AppRecord.role(of: user.id!, in: app, db)
        groups = try String.fetchAll(
            db, sql: "SELECT g.name FROM memberships m JOIN groups g ON g.id = m.groupID WHERE m.userID = ? ORDER BY g.name",
            arguments: [user.id])
    }

    init(
        userID: UserID, username: String, name: String, email: String, role: PlatformRole, appRole: AppRole? = nil, groups: [String] = []
    ) {
        self.userID = userID
        self.username = username
        self.name = name
        self.email = email
        self.role = role
        self.appRole = appRole
        self.groups = groups
    }

    /// Those who run the app may read why it is down.
    var seesDetails: Bool { role == .admin || (appRole ?? .viewer) >= .collaborator }

    func claims(issuer: String, audience: [String], issuedAt: Double, lifetime: Double) -> ViewerClaims {
        var roles = [role.rawValue]
        if let appRole, appRole.rawValue != role.rawValue { roles.append(appRole.rawValue) }
        return ViewerClaims(
            sub: String(userID.rawValue), preferredUsername: username, email: email.isEmpty ? nil : email,
            name: name.isEmpty ? username : name, groups: groups, roles: roles, aud: audience, iss: issuer, iat: Int(issuedAt),
            exp: Int(issuedAt + lifetime))
    }
}
