import GRDB
import Models
import Store

/// The apps that somebody may see, with what the overview says of each.
struct OverviewModel: Sendable {
    struct App: Sendable {
        var record: AppRecord
        var owner: String
        /// Whether the visitor runs it, rather than only looks at it.
        var mayInspect: Bool
        var release: ReleaseRecord?
        var push: PushRecord?
        var pusher: String?
        /// Replicas asked for, over all processes of the live release.
        var desired: Int
    }

    var apps: [App]

    init(for principal: Principal, _ db: Database) throws {
        let names = try UserRecord.names(db)
        apps = try AppRecord.filter(Column("deletingAt") == nil).order(Column("name")).fetchAll(db).compactMap { record in
            guard try AppRecord.allows(.view, principal, record, db) else { return nil }
            let push = try PushRecord.filter(Column("appID") == record.id).order(Column("id").desc).fetchOne(db)
            let release = try record.liveReleaseID.flatMap { try ReleaseRecord.filter(Column("id") == $0).fetchOne(db) }
            return App(
                record: record, owner: names[record.ownerID] ?? "", mayInspect: try AppRecord.allows(.inspect, principal, record, db),
                release: release, push: push, pusher: push?.userID.flatMap { names[$0] },
                desired: try release.map { try $0.desired(db).reduce(0) { $0 + $1.replicas } } ?? 0)
        }
    }
}

extension UserRecord {
    /// User names by id.
    static func names(_ db: Database) throws -> [UserID: String] {
        Dictionary(uniqueKeysWithValues: try fetchAll(db).map { ($0.id!, $0.username) })
    }
}

extension ReleaseRecord {
    /// How many replicas of each process people want: what `scale` said, else what the release brought.
    func desired(_ db: Database) throws -> [(process: String, replicas: Int)] {
        let scales = try ScaleRecord.filter(Column("appID") == appID).fetchAll(db)
        return formation.filter { !$0.isReleaseCommand }.map { process in
            (process.name, scales.first { $0.process == process.name }?.replicas ?? process.replicas)
        }
    }
}
