import GRDB
import Models
import Store

/// Everything the store knows of one app that its page shows.
struct AppModel: Sendable {
    struct Person: Sendable {
        var username: String
        var role: AppRole
    }

    var record: AppRecord
    var owner: String
    var mayOperate: Bool
    var mayGovern: Bool
    /// Newest first.
    var releases: [ReleaseRecord]
    /// Ids of images that are still in the engine.
    var keptImages: Set<ImageID>
    /// Newest first.
    var pushes: [PushRecord]
    var pushesWithBuild: Set<PushID>
    /// Names alone; values are sealed and stay so.
    var configNames: [String]
    var people: [Person]
    var names: [UserID: String]
    var desired: [(process: String, replicas: Int)]

    /// - Throws: `notFound` where there is no such app or it is not for that visitor to know, `forbidden` where they may
    ///   look at the app but not at how it runs.
    init(_ name: String, for principal: Principal, _ db: Database) throws {
        record = try Self.app(name, .inspect, principal, db)
        names = try UserRecord.names(db)
        owner = names[record.ownerID] ?? ""
        mayOperate = try AppRecord.allows(.operate, principal, record, db)
        mayGovern = try AppRecord.allows(.govern, principal, record, db)
        let ofApp = Column("appID") == record.id
        releases = try ReleaseRecord.filter(ofApp).order(Column("number").desc).limit(20).fetchAll(db)
        keptImages = Set(
            try ImageRecord.filter(releases.map(\.imageID).contains(Column("id")) && Column("removedAt") == nil).fetchAll(db).compactMap(
                \.id))
        pushes = try PushRecord.filter(ofApp).order(Column("id").desc).limit(20).fetchAll(db)
        pushesWithBuild = Set(try BuildRecord.filter(pushes.compactMap(\.id).contains(Column("pushID"))).fetchAll(db).map(\.pushID))
        configNames = try ConfigValueRecord.filter(ofApp).order(Column("key")).fetchAll(db).map(\.key)
        let names = names
        people = try CollaboratorRecord.filter(ofApp).fetchAll(db).map { Person(username: names[$0.userID] ?? "", role: $0.role) }
            .sorted { ($1.role, $0.username) < ($0.role, $1.username) }
        let live = try record.liveReleaseID.flatMap { try ReleaseRecord.filter(Column("id") == $0).fetchOne(db) }
        desired = try live?.desired(db) ?? []
    }

    var live: ReleaseRecord? { releases.first { $0.id == record.liveReleaseID } }

    /// The app where the principal may do that to it.
    static func app(_ name: String, _ action: AppAction, _ principal: Principal, _ db: Database) throws -> AppRecord {
        guard let name = AppName(rawValue: name), let app = try AppRecord.named(name, db), try AppRecord.allows(.view, principal, app, db)
        else { throw MoorError(.notFound, "There is no app of that name", hint: "It may have been removed. Check the address.") }
        guard try AppRecord.allows(action, principal, app, db) else {
            let owner = try UserRecord.filter(Column("id") == app.ownerID).fetchOne(db)?.username ?? "its owner"
            throw MoorError(
                .forbidden,
                action == .govern ? "Only the owner changes who may see \(name)" : "You may look at \(name), but not at how it runs",
                hint: "Ask its owner, \(owner)\(action == .govern ? "." : ", to make you a collaborator.")")
        }
        return app
    }
}
