import GRDB
import Models
import Store

/// A push with its pusher's name and its last build.
struct PushView: Sendable {
    var record: PushRecord
    var username: String?
    var build: BuildRecord?

    static func page(_ page: Page, of app: AppID, _ db: Database) throws -> [PushView] {
        let pushes = try PushRecord.filter(Column("appID") == app && Column("id") < page.before)
            .order(Column("id").desc).limit(page.limit).fetchAll(db)
        return try pushes.map { push in
            let username = try push.userID.flatMap { try UserRecord.fetchOne(db, key: $0)?.username }
            let build = try BuildRecord.filter(Column("pushID") == push.id).order(Column("id").desc).fetchOne(db)
            return PushView(record: push, username: username, build: build)
        }
    }

    /// Whether the build is of a push to the app.
    static func owns(_ build: BuildID, app: AppID, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: "SELECT EXISTS (SELECT 1 FROM builds JOIN pushes ON pushes.id = builds.pushID WHERE builds.id = ? AND pushes.appID = ?)",
            arguments: [build, app]) ?? false
    }
}
