import GRDB
import Logging
package import Models
import Store

extension ReleaseService {
    /// Changes how many replicas run; returns when the new ones are ready and the surplus has drained.
    ///
    /// Where the new ones do not come up, the scale is as it was before and those that ran keep running: what is asked of
    /// the orchestrator is what is known to work.
    /// - Throws: `invalid` for an unknown process or a count out of 0...100; `conflict` where the app has no live release;
    ///   `appFailed` with the last lines of the replica that does not come up.
    package func scale(appID: AppID, to counts: [String: Int], by principal: Principal) async throws(MoorError) {
        try await exclusively(appID, log: .discard) { (change) async throws(MoorError) -> Void in
            guard let state = try await self.desiredState(of: appID), let live = state.live else {
                throw MoorError(.conflict, "\(change.app) has no release yet", hint: "push first")
            }
            try Self.validate(counts, live.release, app: change.app)
            try change.point.pass()
            let before = live.counts(state.scales)
            let after = before.merging(counts) { $1 }
            try await self.store.read { db in try Self.checkCeilings(appID, live.release.processes, counts: after, db) }
            do throws(MoorError) {
                try await self.grow(live, from: before, to: after, change: change)
                try await self.store.write { db in
                    // Another app of the same owner may have grown meanwhile.
                    try Self.checkCeilings(appID, live.release.processes, counts: after, db)
                    for (process, replicas) in counts { try ScaleRecord(appID: appID, process: process, replicas: replicas).save(db) }
                }
            } catch {
                await self.endScale(of: appID)
                throw error
            }
            await self.shrink(live, to: after, appID: appID)
            self.logger.info(
                "scaled", metadata: ["app": "\(change.app)", "to": "\(counts.sorted { $0.key < $1.key })", "by": "\(principal.username)"])
        }
    }

    static func validate(_ counts: [String: Int], _ release: ReleaseRecord, app: AppName) throws(MoorError) {
        let processes = release.formation.filter { !$0.isReleaseCommand }.map(\.name)
        for (process, count) in counts.sorted(by: { $0.key < $1.key }) {
            guard processes.contains(process) else {
                throw MoorError(
                    .invalid, "\(app) has no process “\(process.prefix(60).filter { !$0.isNewline })”",
                    hint: "v\(release.number) has \(processes.joined(separator: ", "))")
            }
            guard (0...100).contains(count) else {
                throw MoorError(.invalid, "\(process)=\(count) is out of range", hint: "use a number from 0 to 100")
            }
        }
    }

    /// Starts what is asked for more and waits until it is ready; what is to go is still there.
    private func grow(
        _ live: ReleaseRows, from before: [String: Int], to after: [String: Int], change: Change
    ) async throws(MoorError) {
        let appID = change.appID
        underWay[appID, default: UnderWay()].scales = before.merging(after) { max($0, $1) }
        let added = Set(
            after.flatMap { process, count in
                ((before[process] ?? 0)..<max(count, before[process] ?? 0)).map {
                    Readiness.Expected(process: process, ordinal: $0 + 1)
                }
            })
        guard !added.isEmpty else { return }
        let names = Set(added.map(\.process))
        let health = live.release.formation.filter { names.contains($0.name) }.compactMap(\.health?.timeoutSeconds).max() ?? 0
        let patience = Duration.seconds(health + added.count / 2) + configuration.readySlack

        let changes = await orchestrator.changes(of: appID)
        try await apply(appID)
        let started = ContinuousClock.now
        var readiness = Readiness(releaseID: live.releaseID, expected: added, deadline: patience)
        var outcome = Readiness.Outcome.waiting
        await watch(appID, changes: changes) { replicas in
            outcome = readiness.observe(replicas, elapsed: .now - started).outcome
            return outcome != .waiting || stopRequests[appID] != nil ? nil : started + patience
        }
        switch outcome {
        case .ready: return
        case .waiting: throw stopRequests[appID] ?? Self.stoppingError
        case .failed(let failure):
            throw await explain(
                failure, of: "v\(live.release.number)", releaseID: live.releaseID, appID: appID,
                hint: "the scale is as it was before; what ran keeps running")
        }
    }

    /// Takes the surplus out of the traffic, drains it and stops it. The rows have the new counts.
    private func shrink(_ live: ReleaseRows, to after: [String: Int], appID: AppID) async {
        await traffic.refresh()
        let surplus = await orchestrator.replicas(of: appID).filter {
            $0.releaseID == live.releaseID && $0.ordinal > after[$0.process] ?? .max
        }
        await drain(surplus.compactMap(\.endpoint), live.drainLimits(configuration))
        await endScale(of: appID)
    }

    /// From here on the rows alone say what runs.
    private func endScale(of appID: AppID) async {
        underWay[appID]?.scales = nil
        await applyEventually(appID)
    }
}

extension ReleaseRows {
    /// Replicas of each process that keeps running.
    func counts(_ scales: [String: Int]) -> [String: Int] {
        Dictionary(
            release.formation.filter { !$0.isReleaseCommand }.map { ($0.name, scales[$0.name] ?? $0.replicas) },
            uniquingKeysWith: { $1 })
    }
}
