import GRDB
import Models
import Store

/// An app together with what the caller is to it.
struct AppOfCaller: Sendable {
    var record: AppRecord
    var id: AppID
    var principal: Principal
    /// The owner's user name.
    var owner: String
    /// What the caller is to the app; nil where nothing.
    var role: AppRole?
    /// The number of the live release.
    var liveRelease: Int?

    var name: AppName { record.name }

    func allows(_ action: AppAction) -> Bool {
        AppPolicy.allows(action, principal: principal, appRole: role, access: record.access)
    }

    static func named(_ name: AppName, of principal: Principal, _ db: Database) throws -> AppOfCaller? {
        try select("AND apps.name = ?", [name], of: principal, db).first
    }

    /// Every app that the caller may look at, by name.
    static func all(of principal: Principal, _ db: Database) throws -> [AppOfCaller] {
        try select("", [], of: principal, db).filter { $0.allows(.view) }
    }

    private static func select(
        _ condition: String, _ arguments: StatementArguments, of principal: Principal, _ db: Database
    ) throws -> [AppOfCaller] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT apps.*, users.username AS owner, releases.number AS liveNumber, collaborators.role AS memberRole
                FROM apps
                JOIN users ON users.id = apps.ownerID
                LEFT JOIN releases ON releases.id = apps.liveReleaseID
                LEFT JOIN collaborators ON collaborators.appID = apps.id AND collaborators.userID = ?
                WHERE apps.deletingAt IS NULL \(condition)
                ORDER BY apps.name
                """,
            arguments: [principal.userID] + arguments)
        return try rows.map { row in
            let record = try AppRecord(row: row)
            let memberRole: AppRole? = row["memberRole"]
            return AppOfCaller(
                record: record, id: row["id"], principal: principal, owner: row["owner"],
                role: record.ownerID == principal.userID ? .owner : memberRole, liveRelease: row["liveNumber"])
        }
    }
}
