import GRDB
package import Models
package import Store
import Synchronization

/// Apps over the real tables without anything that runs, for tests of what stands in front of them. What the orchestrator
/// and the releases would say is set by the test.
package final class PlainApps: AppOperations, BuildOperations {
    package typealias Rollout = @Sendable (DeployLog) async throws(MoorError) -> Int?

    package let store: DataStore
    private let state: Mutex<State>

    private struct State {
        var config: [AppID: [String: String]] = [:]
        var buildConfig: [AppID: [String: String]] = [:]
        var replicas: [ReplicaStatus] = []
        var rollout: Rollout = { log throws(MoorError) in
            await log.line("rolling")
            return 7
        }
        var logs: @Sendable (_ follow: Bool) -> AsyncThrowingStream<LogLine, any Error> = { _ in
            AsyncThrowingStream { $0.finish() }
        }
    }

    package init(store: DataStore) {
        self.store = store
        state = Mutex(State())
    }

    package func setReplicas(_ replicas: [ReplicaStatus]) { state.withLock { $0.replicas = replicas } }
    /// What `rollback` and `setConfig` do.
    package func setRollout(_ rollout: @escaping Rollout) { state.withLock { $0.rollout = rollout } }
    package func setLogs(_ logs: @escaping @Sendable (_ follow: Bool) -> AsyncThrowingStream<LogLine, any Error>) {
        state.withLock { $0.logs = logs }
    }

    package func createApp(named name: String, owner: Principal) async throws(MoorError) -> AppID {
        let name = try AppName(validating: name)
        return try await store.write { db in
            guard try AppRecord.named(name, db) == nil else { throw MoorError(.conflict, "the app “\(name)” exists already") }
            var app = AppRecord(name: name, ownerID: owner.userID, access: .signedIn, createdAt: now())
            try app.insert(db)
            return app.id!
        }
    }

    package func deleteApp(_ appID: AppID) async throws(MoorError) {
        try await store.write { db in _ = try AppRecord.deleteOne(db, key: appID) }
    }

    package func scale(_ appID: AppID, to counts: [String: Int], by principal: Principal) async throws(MoorError) {
        try await store.write { db in
            for (process, replicas) in counts { try ScaleRecord(appID: appID, process: process, replicas: replicas).save(db) }
        }
    }

    package func setResources(
        _ appID: AppID, process: String, to wish: ResourceWish, reset: Bool, by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int? {
        let rollout = state.withLock { $0.rollout }
        try await store.write { db in
            guard var live = try ReleaseRecord.filter(Column("appID") == appID && Column("state") == "live").fetchOne(db) else { return }
            live.wishes = [process: wish]
            try live.update(db)
        }
        return try await rollout(log)
    }

    package func rollback(_ appID: AppID, to number: Int?, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int {
        let rollout = state.withLock { $0.rollout }
        return try await rollout(log) ?? 0
    }

    package func rollout(_ appID: AppID) async throws(MoorError) -> RolloutStatus {
        var status = RolloutStatus()
        status.phase = .canary
        (status.live, status.release, status.since, status.newShare) = (1, 2, 0, 10)
        status.waitingFor = "web.1 of v2 is starting"
        status.processes = [.init(name: "web")]
        var traffic = ReleaseTraffic(releaseID: ReleaseID(1))
        (traffic.number, traffic.requests, traffic.errors, traffic.p50Milliseconds) = (1, 20, 1, 12.5)
        status.traffic = [traffic]
        return status
    }

    package func pauseRollout(_ appID: AppID, by principal: Principal) async throws(MoorError) {}
    package func resumeRollout(_ appID: AppID, by principal: Principal) async throws(MoorError) {}

    package func undoRollout(_ appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int? {
        try await state.withLock { $0.rollout }(log)
    }

    package func canary(_ appID: AppID, release number: Int?, percent: Int, by principal: Principal, log: DeployLog)
        async throws(MoorError) -> Int
    { try await rollback(appID, to: number, by: principal, log: log) }

    package func promoteCanary(_ appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int {
        try await rollback(appID, to: nil, by: principal, log: log)
    }

    package func setConfig(
        _ appID: AppID, set: [String: String], unset: [String], by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int? {
        let rollout = state.withLock { state in
            state.config[appID, default: [:]].merge(set) { _, new in new }
            for name in unset { state.config[appID]?[name] = nil }
            return state.rollout
        }
        return try await rollout(log)
    }

    package func config(_ appID: AppID) async throws(MoorError) -> [String: String] { state.withLock { $0.config[appID] ?? [:] } }

    package func buildConfigNames(_ appID: AppID) async throws(MoorError) -> [String] {
        state.withLock { $0.buildConfig[appID]?.keys.sorted() ?? [] }
    }

    package func setBuildConfig(_ appID: AppID, set: [String: String], unset: [String]) async throws(MoorError) {
        state.withLock { state in
            state.buildConfig[appID, default: [:]].merge(set) { _, new in new }
            for name in unset { state.buildConfig[appID]?[name] = nil }
        }
    }

    /// Every app has one image of 7 bytes on a base of 100.
    package func diskUse() async throws(MoorError) -> DiskUse {
        var app = DiskUse.App()
        app.images = 1
        app.imageBytes = 7
        app.sharedBytes = 100
        var use = DiskUse()
        for record in try await store.read({ db in try AppRecord.fetchAll(db) }) { use.apps[record.name] = app }
        use.sharedBytes = 100
        return use
    }

    package func bill(of appID: AppID, release number: Int?) async throws(MoorError) -> String {
        #"{"bomFormat":"CycloneDX","specVersion":"1.5","version":\#(number ?? 1)}"#
    }

    package func setAccess(_ appID: AppID, mode: AccessMode) async throws(MoorError) {
        try await store.write { db in
            try db.execute(sql: "UPDATE apps SET access = ? WHERE id = ?", arguments: [mode, appID])
        }
    }

    package func setCollaborator(_ appID: AppID, username: String, role: AppRole?) async throws(MoorError) {
        try await store.write { db in
            guard let user = try UserRecord.filter(Column("username") == username).fetchOne(db) else {
                throw MoorError(.notFound, "there is no user “\(username)”")
            }
            if let role {
                try CollaboratorRecord(appID: appID, userID: user.id!, role: role).save(db)
            } else {
                try CollaboratorRecord.filter(Column("appID") == appID && Column("userID") == user.id!).deleteAll(db)
            }
        }
    }

    package func replicas(_ appID: AppID) async -> [ReplicaStatus] { state.withLock { $0.replicas } }

    package func logs(
        _ appID: AppID, process: String?, tail: Int, follow: Bool
    ) async throws(MoorError) -> AsyncThrowingStream<LogLine, any Error> {
        let logs = state.withLock { $0.logs }
        return logs(follow)
    }

    package func buildLog(_ buildID: BuildID) async throws(MoorError) -> String { "log of build \(buildID)\n" }

    package func url(of name: AppName) -> String { "http://\(name).localhost:8080" }
}
