import GRDB
import Logging
import Models
import Store

extension ReleaseService {
    /// What should run of the app now; nil where it is gone or going.
    func desiredState(of appID: AppID) async throws(MoorError) -> DesiredState? {
        let underWay = underWay[appID] ?? UnderWay()
        return try await store.read { db in
            guard let app = try AppRecord.filter(key: appID).fetchOne(db), app.deletingAt == nil else { return nil }
            let scales = try ScaleRecord.filter(Column("appID") == appID).fetchAll(db)
            let canary = try CanaryRecord.started(appID, db).flatMap {
                underWay.rolling == $0.releaseID || underWay.draining.contains($0.releaseID) ? nil : $0
            }
            return DesiredState(
                app: app.name, appID: appID, live: try app.liveReleaseID.map { try ReleaseRows.fetch($0, db) },
                rolling: try underWay.rolling.map { try ReleaseRows.fetch($0, db) },
                canary: try canary.map { (try ReleaseRows.fetch($0.releaseID, db), $0) },
                draining: try underWay.draining.map { try ReleaseRows.fetch($0, db) },
                scales: underWay.scales ?? Dictionary(scales.map { ($0.process, $0.replicas) }, uniquingKeysWith: { $1 }),
                wanted: underWay.wanted)
        }
    }

    /// Hands the orchestrator what should run now. Calls for one app take turns, so that the newest state comes last.
    func apply(_ appID: AppID) async throws(MoorError) {
        let (ticket, holds) = applying.enqueue(appID)
        if !holds {
            guard await applying.wait(ticket) else { throw MoorError(.cancelled, "cancelled") }
        }
        defer { applying.release(ticket) }
        let environment = try await environment()
        guard let state = try await desiredState(of: appID) else { return }
        try await orchestrator.apply(.desired(state, environment: environment))
    }

    /// As `apply`; where that fails it is tried again until it works, and nobody waits for it.
    func applyEventually(_ appID: AppID) async {
        do throws(MoorError) {
            try await apply(appID)
        } catch {
            logger.error("a workload was not applied; trying again", metadata: ["app": "\(appID)", "error": "\(error.message)"])
            guard !isStopping, retrying.insert(appID).inserted else { return }
            own { await self.retryApply(appID) }
        }
    }

    private func retryApply(_ appID: AppID) async {
        defer { retrying.remove(appID) }
        var delay = configuration.retryDelay
        while !isStopping {
            let pause = delay
            await interruptibly { try? await Task.sleep(for: pause) }
            guard !isStopping else { return }
            do throws(MoorError) {
                return try await apply(appID)
            } catch {
                delay = min(delay * 2, configuration.retryDelay * 30)
            }
        }
    }

    /// Shows `look` the app's replicas at once, after each change and from the time on that it returned, until that is nil.
    ///
    /// - Parameter changes: begun before what is watched for was set off, so that nothing is missed.
    func watch(
        _ appID: AppID, changes: AsyncStream<Void>, _ look: ([ReplicaStatus]) async -> ContinuousClock.Instant?
    ) async {
        let (ticks, tick) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        watchers[appID] = tick
        let relay = Task { for await _ in changes { tick.yield() } }
        var alarm: (at: ContinuousClock.Instant, task: Task<Void, any Error>)?
        tick.yield()
        for await _ in ticks {
            guard let deadline = await look(await orchestrator.replicas(of: appID)) else { break }
            guard deadline != alarm?.at else { continue }
            alarm?.task.cancel()
            alarm = (deadline, Self.alarm(at: deadline, tick))
        }
        watchers[appID] = nil
        relay.cancel()
        alarm?.task.cancel()
        await relay.value
        _ = await alarm?.task.result
    }

    private static func alarm(at deadline: ContinuousClock.Instant, _ tick: AsyncStream<Void>.Continuation) -> Task<Void, any Error> {
        Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            // A clock that is read a hair too early must not leave the watch without another look.
            while true {
                tick.yield()
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
