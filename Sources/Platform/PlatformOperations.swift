import Builds
import GRDB
import Models
import Orchestrators
import Pushes
import Releases
import Store

/// What people do to apps, put together from the stations.
struct PlatformOperations: AppOperations {
    var store: DataStore
    var configuration: PlatformConfiguration
    var builds: BuildService
    var releases: ReleaseService
    var orchestrator: any Orchestrator
    var routes: RoutePublisher
    var repositories: Repositories
    var desk: CommandDesk

    func createApp(named name: String, owner: Principal) async throws(MoorError) -> AppID {
        guard AppPolicy.mayCreateApps(owner) else {
            throw MoorError(.forbidden, "viewers cannot create apps", hint: "ask an admin for the developer role")
        }
        let name = try AppName(validating: name)
        let host = configuration.host(of: name)
        // Row first: the folder is named by its id. A crash in between leaves an app whose first push makes the folder.
        let appID = try await store.write { db in
            if let taken = try AppRecord.filter(Column("name") == name).fetchOne(db) {
                throw MoorError(
                    .conflict, taken.deletingAt == nil ? "there is an app named \(name) already" : "\(name) is still being deleted",
                    hint: taken.deletingAt == nil ? "choose another name" : "try again in a moment")
            }
            try QuotaRecord.checkCount(ofAppsOf: owner, db)
            var app = AppRecord(name: name, ownerID: owner.userID, access: .signedIn, createdAt: now())
            try app.insert(db)
            try RouteRecord(host: host, appID: app.id!, createdAt: now()).insert(db)
            return app.id!
        }
        try repositories.prepare(appID)
        await routes.refresh()
        return appID
    }

    func deleteApp(_ appID: AppID) async throws(MoorError) {
        try await releases.removeApp(appID)
        // Its dependency layers and package cache are nobody's now.
        await builds.appRemoved()
        await routes.refresh()
    }

    func scale(_ appID: AppID, to counts: [String: Int], by principal: Principal) async throws(MoorError) {
        try await releases.scale(appID: appID, to: counts, by: principal)
    }

    func setResources(
        _ appID: AppID, process: String, to wish: ResourceWish, reset: Bool, by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int? {
        try await releases.setResources(appID: appID, process: process, to: wish, reset: reset, by: principal, log: log)
    }

    func rollback(_ appID: AppID, to number: Int?, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int {
        try await releases.rollback(appID: appID, to: number, by: principal, log: log)
    }

    func setConfig(_ appID: AppID, set: [String: String], unset: [String], by principal: Principal, log: DeployLog)
        async throws(MoorError) -> Int?
    {
        try await releases.setConfig(appID: appID, set: set, unset: unset, by: principal, log: log)
    }

    func config(_ appID: AppID) async throws(MoorError) -> [String: String] { try await releases.config(appID: appID) }

    func setAccess(_ appID: AppID, mode: AccessMode) async throws(MoorError) {
        try await store.write { db in
            try AppRecord.filter(Column("id") == appID).updateAll(db, Column("access").set(to: mode))
            return
        }
        await routes.viewersChanged()
    }

    func setCollaborator(_ appID: AppID, username: String, role: AppRole?) async throws(MoorError) {
        try await store.write { db in
            guard let user = try UserRecord.filter(Column("username") == username && Column("disabledAt") == nil).fetchOne(db) else {
                throw MoorError(.notFound, "there is no user “\(username)”", hint: "moor users list shows who there is")
            }
            guard let app = try AppRecord.filter(Column("id") == appID).fetchOne(db) else {
                throw MoorError(.notFound, "there is no such app")
            }
            guard app.ownerID != user.id else {
                throw MoorError(.conflict, "\(username) owns \(app.name)", hint: "the owner needs no other role")
            }
            switch role {
            case .owner: throw MoorError(.invalid, "an app has one owner", hint: "give the role collaborator or viewer")
            case let role?: try CollaboratorRecord(appID: appID, userID: user.id!, role: role).save(db)
            case nil: try CollaboratorRecord.filter(Column("appID") == appID && Column("userID") == user.id).deleteAll(db)
            }
        }
        await routes.viewersChanged()
    }

    func replicas(_ appID: AppID) async -> [ReplicaStatus] { await orchestrator.replicas(of: appID) }

    func logs(_ appID: AppID, process: String?, tail: Int, follow: Bool) async throws(MoorError) -> AsyncThrowingStream<LogLine, any Error>
    {
        try await orchestrator.logs(appID: appID, process: process, tail: tail, follow: follow)
    }

    func buildLog(_ buildID: BuildID) async throws(MoorError) -> String { try await builds.log(of: buildID) }

    func url(of name: AppName) -> String { configuration.url(of: name) }
}

extension PlatformOperations {
    func rollout(_ appID: AppID) async throws(MoorError) -> RolloutStatus { try await releases.rolloutStatus(appID: appID) }

    func pauseRollout(_ appID: AppID, by principal: Principal) async throws(MoorError) {
        try await releases.pauseRollout(appID: appID, by: principal)
    }

    func resumeRollout(_ appID: AppID, by principal: Principal) async throws(MoorError) { try await releases.resumeRollout(appID: appID) }

    func undoRollout(_ appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int? {
        try await releases.undoRollout(appID: appID, by: principal, log: log)
    }

    func canary(_ appID: AppID, release number: Int?, percent: Int, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int
    {
        try await releases.canary(appID: appID, release: number, percent: percent, by: principal, log: log)
    }

    func promoteCanary(_ appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int {
        try await releases.promoteCanary(appID: appID, log: log)
    }
}

extension PlatformOperations: BuildOperations {
    func buildConfigNames(_ appID: AppID) async throws(MoorError) -> [String] { try await releases.buildConfigNames(appID: appID) }

    func setBuildConfig(_ appID: AppID, set: [String: String], unset: [String]) async throws(MoorError) {
        try await releases.setBuildConfig(appID: appID, set: set, unset: unset)
    }

    func diskUse() async throws(MoorError) -> DiskUse { try await builds.diskUse() }

    func bill(of appID: AppID, release number: Int?) async throws(MoorError) -> String {
        try await builds.bill(of: appID, release: number)
    }
}
