import GRDB
import Models
import Store

/// A release with the names of what it points at.
struct ReleaseView: Sendable {
    var record: ReleaseRecord
    var username: String?
    /// The id of the pushed commit.
    var commit: String?

    static func page(_ page: Page, of app: AppID, _ db: Database) throws -> [ReleaseView] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT releases.*, users.username AS pusher, pushes.afterCommit AS pushedCommit
                FROM releases
                LEFT JOIN users ON users.id = releases.userID
                LEFT JOIN pushes ON pushes.id = releases.pushID
                WHERE releases.appID = ? AND releases.number < ?
                ORDER BY releases.number DESC LIMIT ?
                """,
            arguments: [app, page.before, page.limit])
        return try rows.map { try ReleaseView(record: ReleaseRecord(row: $0), username: $0["pusher"], commit: $0["pushedCommit"]) }
    }
}
