import GRDB
import Logging
package import Models
import Store

extension ReleaseService {
    /// Gives an earlier release, or the canary that there is, a share of the viewers beside the live release.
    ///
    /// Of an earlier release a new one is made, as a rollback does; its `web` process alone runs, in that share of the
    /// replicas, until it is promoted.
    /// - Parameter number: nil for the canary that there is.
    /// - Returns: the canary's number.
    package func canary(
        appID: AppID, release number: Int?, percent: Int, by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int {
        guard (1...99).contains(percent) else {
            throw MoorError(.invalid, "\(percent) % is no share", hint: "use 1 to 99; `moor rollout promote` gives it all")
        }
        return try await exclusively(appID, log: log) { (change) async throws(MoorError) -> Int in
            let current = try await self.store.read { db in try CanaryRecord.started(appID, db) }
            if let current {
                let release = try await self.release(of: current)
                guard number == nil || number == release.number else {
                    throw try await self.store.read { db in try Self.canaryStands(current, db) }
                }
                return try await self.rollOut(release, as: .canary(percent: percent, isNew: false), change: change)
            }
            guard let number else {
                throw MoorError(
                    .conflict, "\(change.app) has no canary",
                    hint: "`git push -o canary=\(percent)%` makes one of a push, --release v3 of an earlier release")
            }
            let kept = max(1, self.configuration.keptReleases)
            let sealer = try await self.environment().sealer
            let target = try await self.store.read { db in
                try Self.rollbackTarget(number, appID: appID, app: change.app, keptReleases: kept, db)
            }
            guard target.state != .live else { throw MoorError(.conflict, "v\(number) of \(change.app) is the live release") }
            let config = try sealer.openSnapshot(target.sealedConfig, app: appID, number: target.number)
            let draft = ReleaseDraft(
                imageID: target.imageID, formation: target.formation, config: .given(config), cause: .rollback,
                description: "canary of v\(target.number)", userID: principal.userID, pushID: target.pushID, canaryPercent: percent)
            let release = try await self.createRelease(draft, appID: appID)
            return try await self.rollOut(release, as: .canary(percent: percent, isNew: true), change: change)
        }
    }

    /// Makes the canary the live release.
    package func promoteCanary(appID: AppID, log: DeployLog) async throws(MoorError) -> Int {
        try await exclusively(appID, log: log) { (change) async throws(MoorError) -> Int in
            guard let canary = try await self.store.read({ db in try CanaryRecord.started(appID, db) }) else {
                throw MoorError(.conflict, "\(change.app) has no canary", hint: "moor rollout canary makes one")
            }
            return try await self.rollOut(try await self.release(of: canary), as: .promotion, change: change)
        }
    }

    /// - Throws: `conflict` where the app has a canary, which a push would come in the way of.
    package func checkNoCanary(appID: AppID) async throws(MoorError) {
        let error = try await store.read { db in try CanaryRecord.started(appID, db).map { try Self.canaryStands($0, db) } }
        if let error { throw error }
    }

    func endCanary(appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int? {
        try await exclusively(appID, log: log) { (change) async throws(MoorError) -> Int? in
            guard let canary = try await self.store.read({ db in try CanaryRecord.started(appID, db) }) else {
                throw MoorError(.conflict, "\(change.app) has no canary any more")
            }
            try change.point.pass()
            let release = try await self.release(of: canary)
            await self.drainCanary(canary)
            await self.markFailed(release, "\(principal.username) ended the canary")
            await self.traffic.refresh()
            let live = try await self.live(of: appID)
            await change.log.line("v\(release.number) gets no viewers any more")
            await self.retire(canary.releaseID, of: appID)
            await self.forgetPause(of: appID)
            return live?.number
        }
    }

    /// Its replicas stay until they have finished what they have, also once its row is gone.
    private func drainCanary(_ canary: CanaryRecord) async {
        let replicas = await orchestrator.replicas(of: canary.appID).filter { $0.releaseID == canary.releaseID }
        underWay[canary.appID, default: UnderWay()].wanted[canary.releaseID] = Set(
            replicas.map { .init(process: $0.process, ordinal: $0.ordinal) })
        underWay[canary.appID]?.draining.append(canary.releaseID)
    }

    /// A share that became smaller leaves replicas over; they are out of the routes by the row.
    func retireSurplus(of rollout: Rollout) {
        let (appID, id) = (rollout.change.appID, rollout.releaseID)
        own {
            let surplus = rollout.existing.filter { replica in
                !rollout.waves.all.contains(.init(process: replica.process, ordinal: replica.ordinal))
            }
            await self.drain(surplus.compactMap(\.endpoint), rollout.release.formation.drainLimits(self.configuration))
            await self.forgetWanted(id, appID)
            await self.applyEventually(appID)
        }
    }

    private func forgetWanted(_ id: ReleaseID, _ appID: AppID) { underWay[appID]?.wanted[id] = nil }

    func commitCanary(_ release: ReleaseRecord, percent: Int) async throws(MoorError) {
        let id = release.id
        try await store.write { db in
            try db.execute(
                sql: "UPDATE canaries SET percent = ?, startedAt = coalesce(startedAt, ?) WHERE releaseID = ?",
                arguments: [percent, now(), id])
            guard db.changesCount == 1 else { throw MoorError(.conflict, "v\(release.number) is no longer being rolled out") }
        }
    }

    private func release(of canary: CanaryRecord) async throws(MoorError) -> ReleaseRecord {
        let release = try await store.read { db in try ReleaseRecord.fetchOne(db, key: canary.releaseID) }
        guard let release else { throw MoorError(.conflict, "the canary is gone") }
        return release
    }

    static func canaryStands(_ canary: CanaryRecord, _ db: Database) throws -> MoorError {
        let number = try ReleaseRecord.fetchOne(db, key: canary.releaseID)?.number ?? 0
        return MoorError(
            .conflict, "v\(number) is a canary with \(canary.percent) % of the viewers",
            hint: "`moor rollout promote` makes it live, `moor rollout undo` ends it; then try again")
    }

    static var nothingToCompare: MoorError {
        MoorError(.conflict, "there is no live release for a canary to stand beside", hint: "push without -o canary")
    }
}
