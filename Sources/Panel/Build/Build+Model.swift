import GRDB
import Models
import Store

/// One push with its build.
struct BuildModel: Sendable {
    var app: AppRecord
    var push: PushRecord
    var pusher: String?
    /// nil where the push was refused before anything was built.
    var build: BuildRecord?

    init(app name: String, push id: String, for principal: Principal, _ db: Database) throws {
        app = try AppModel.app(name, .inspect, principal, db)
        guard let id = Int64(id), let push = try PushRecord.filter(Column("id") == id && Column("appID") == app.id).fetchOne(db) else {
            throw MoorError(.notFound, "There is no such push", hint: "The app's page lists its latest pushes.")
        }
        self.push = push
        pusher = try push.userID.flatMap { try UserRecord.filter(Column("id") == $0).fetchOne(db)?.username }
        build = try BuildRecord.filter(Column("pushID") == push.id).order(Column("id").desc).fetchOne(db)
    }
}
