import GRDB
import Logging
package import Models
import Store

extension ReleaseService {
    /// Holds the rollout that is under way, or else the next, before its next wave and before the traffic is switched.
    package func pauseRollout(appID: AppID, by principal: Principal) async throws(MoorError) {
        _ = try await app(appID)
        let pause = RolloutPauseRecord(appID: appID, username: principal.username, pausedAt: now())
        try await store.write { db in try pause.save(db) }
        pauses[appID] = pause
        watchers[appID]?.yield()
    }

    /// - Throws: `conflict` where nothing is paused.
    package func resumeRollout(appID: AppID) async throws(MoorError) {
        let app = try await app(appID)
        guard pauses[appID] != nil else {
            throw MoorError(.conflict, "no rollout of \(app.name) is paused", hint: "moor rollout status shows how it stands")
        }
        try await removePause(of: appID)
    }

    private func removePause(of appID: AppID) async throws(MoorError) {
        try await store.write { db in _ = try RolloutPauseRecord.deleteOne(db, key: appID) }
        pauses[appID] = nil
        watchers[appID]?.yield()
    }

    /// Whether the rollout is to be taken up by the next start, paused as it is. A push is not: its pusher is told no.
    func isToOutlive(_ rollout: Rollout) -> Bool {
        (isStopping || isClosing) && rollout.release.cause != .push && !rollout.isCanary && pauses[rollout.change.appID] != nil
    }

    /// Ends the waiting of paused rollouts, to be called first of all when the platform stops: who waits for them holds up
    /// whatever stops before us. Their replicas are left as they are; the next start takes them up.
    package func endPauses() {
        isClosing = true
        for appID in pauses.keys where changes[appID] != nil { stopChange(of: appID, Self.stoppingError) }
    }

    /// Whether a change of the app would wait for somebody who cannot come any more.
    func isHeldForGood(_ appID: AppID) -> Bool { isClosing && pauses[appID] != nil }

    /// A pause ends with the rollout that it held.
    func forgetPause(of appID: AppID) async {
        guard pauses[appID] != nil else { return }
        do throws(MoorError) { try await removePause(of: appID) } catch {
            logger.error("a pause could not be ended", metadata: ["app": "\(appID)", "error": "\(error.message)"])
        }
    }

    /// Breaks off the rollout that is under way, or ends the canary, or else rolls back to the release before.
    /// - Returns: the number of the release that is live then; nil where there is none.
    package func undoRollout(appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int? {
        let app = try await app(appID)
        if let rollout = rollouts[appID] {
            let error = MoorError(.cancelled, "\(principal.username) took v\(rollout.number) back", hint: "push again once it is better")
            undoRequests[appID] = error
            changes[appID]?.point.cancel(error)
            watchers[appID]?.yield()
            await log.line("taking v\(rollout.number) back…")
            // Its lock is free once it has ended.
            try await exclusively(appID, log: .discard) { (change) async throws(MoorError) -> Void in try change.point.pass() }
            let live = try await live(of: appID)
            guard live?.id != rollout.releaseID else {
                throw MoorError(
                    .conflict, "v\(rollout.number) went live just before",
                    hint: "the same command again goes back to the release before it")
            }
            return live?.number
        }
        if try await store.read({ db in try CanaryRecord.started(appID, db) }) != nil {
            return try await endCanary(appID: appID, by: principal, log: log)
        }
        logger.info("nothing is under way: rolling back", metadata: ["app": "\(app.name)"])
        return try await rollback(appID: appID, to: nil, by: principal, log: log)
    }

    func live(of appID: AppID) async throws(MoorError) -> ReleaseRecord? {
        try await store.read { db in
            try ReleaseRecord.filter(Column("appID") == appID && Column("state") == ReleaseRecord.State.live).fetchOne(db)
        }
    }

    /// What, beyond the rows, decides where requests go.
    package func serving() -> [AppID: Serving] {
        underWay.mapValues { state in
            Serving(
                rolling: state.isMixed ? state.rolling : nil,
                out: state.out.mapValues { keys in Set(keys.lazy.filter(\.answersHTTP).map(\.ordinal)) })
        }
    }
}

/// What of an app's routes is no row.
package struct Serving: Sendable, Hashable {
    /// A release that answers beside the live one while its replicas take the others' place.
    package var rolling: ReleaseID?
    /// Ordinals of web replicas that get no new requests.
    package var out: [ReleaseID: Set<Int>]

    package init(rolling: ReleaseID? = nil, out: [ReleaseID: Set<Int>] = [:]) {
        self.rolling = rolling
        self.out = out
    }
}
