import GRDB
import Logging
import Models
import Store

/// Since when a rollout is held, as its watch goes on.
struct PauseHold {
    /// From the rollout's begin, where it ends by itself.
    var until: Duration?
    var isSaid = false
}

extension ReleaseService {
    /// What the watch of a rollout has to tell its machine.
    func event(
        _ replicas: [ReplicaStatus], _ machine: RolloutStateMachine, _ hold: inout PauseHold, _ rollout: Rollout
    ) async -> RolloutStateMachine.Event {
        let appID = rollout.change.appID
        if let stop = stopRequests[appID] { return .stopRequested(stop) }
        let waves = machine.waves
        let finishing = waves.goingID.flatMap { underWay[appID]?.finishing[$0] } ?? []
        if let undo = undoRequests.removeValue(forKey: appID) { return .undoRequested(undo, leaving: finishing) }
        let pause = machine.isReverting ? nil : pauses[appID]
        if let pause {
            if !hold.isSaid {
                hold.isSaid = true
                if rollout.release.cause == .push { hold.until = rollout.elapsed + configuration.pauseLimit }
                await rollout.change.log.line(
                    "paused by \(pause.username): `moor rollout resume` goes on, `moor rollout undo` takes \(rollout.name) back")
            }
            if let until = hold.until, rollout.elapsed >= until {
                let error = MoorError(
                    .timedOut, "\(rollout.name) was paused for \(configuration.pauseLimit.inSeconds), and a push waits no longer",
                    hint: "push again")
                return .undoRequested(error, leaving: finishing)
            }
        } else if hold.isSaid {
            hold = PauseHold()
            await rollout.change.log.line("going on")
        }
        return .observed(replicas, leaving: counting(replicas, of: waves.goingID, appID), isPaused: pause != nil)
    }

    /// Replicas that were taken out and take up their place still: those that are there and have more than WebSockets left.
    private func counting(_ replicas: [ReplicaStatus], of release: ReleaseID?, _ appID: AppID) -> Set<Readiness.Expected> {
        guard let release, let out = underWay[appID]?.out[release] else { return [] }
        let there = replicas.filter { $0.releaseID == release }.map { Readiness.Expected(process: $0.process, ordinal: $0.ordinal) }
        return out.intersection(there).subtracting(underWay[appID]?.lingering[release] ?? [])
    }

    /// Takes replicas out of the traffic and asks for others; those that went drain and end behind our back.
    func take(_ step: Waves.Step, _ waves: Waves, _ rollout: Rollout) async -> RolloutStateMachine.Event {
        let appID = rollout.change.appID
        var state = underWay[appID] ?? UnderWay()
        state.wanted[waves.comingID] = waves.coming
        // What comes back was perhaps on its way out.
        state.out[waves.comingID]?.subtract(waves.coming)
        state.finishing[waves.comingID]?.subtract(waves.coming)
        state.lingering[waves.comingID]?.subtract(waves.coming)
        if let going = waves.goingID {
            state.out[going, default: []].formUnion(step.takeOut)
            state.finishing[going, default: []].formUnion(step.takeOut)
            state.wanted[going] = waves.going.union(state.finishing[going] ?? [])
        }
        underWay[appID] = state
        await traffic.refresh()
        if let going = waves.goingID, !step.takeOut.isEmpty {
            let limits = await drainLimits(of: going, in: rollout)
            own { await self.finish(step.takeOut, of: going, appID, limits) }
        }
        guard !step.ask.isEmpty else { return .stepped }
        do throws(MoorError) { try await apply(appID) } catch { return .applyFailed(error) }
        return .stepped
    }

    private func drainLimits(of release: ReleaseID, in rollout: Rollout) async -> DrainLimits {
        var limits =
            release == rollout.releaseID
            ? rollout.release.formation.drainLimits(configuration)
            : rollout.previous?.drainLimits(configuration) ?? [].drainLimits(configuration)
        // What writes alone ends before the next begins, and nobody waits for hours for that.
        if rollout.waves.bounds["web"]?.recreates == true { limits.webSockets = limits.requests }
        return limits
    }

    /// From here on the old release is all that should run; where both had traffic, what the new one has is finished first.
    func applyOldAlone(_ rollout: Rollout) async {
        let appID = rollout.change.appID
        if isHeldForGood(appID) { return }
        var state = underWay[appID] ?? UnderWay()
        let hadTraffic = state.isMixed
        state.rolling = nil
        state.isMixed = false
        if let previous = rollout.previous?.releaseID {
            state.wanted[previous] = nil
            state.out[previous] = nil
            state.finishing[previous] = nil
            state.lingering[previous] = nil
        }
        if hadTraffic {
            state.draining.append(rollout.releaseID)
        } else if !rollout.staysCanary {
            state.wanted[rollout.releaseID] = nil
        }
        if rollout.staysCanary { state.wanted[rollout.releaseID] = nil }
        underWay[appID] = state
        guard hadTraffic else { return await applyEventually(appID) }
        await traffic.refresh()
        retire(rollout.releaseID, of: appID)
    }

    /// Whether a rollout that was broken off has left the live release in part.
    func isInParts(_ app: AppRecord, beside release: ReleaseRecord?) async -> Bool {
        guard let appID = app.id, let id = release?.id, let state = try? await desiredState(of: appID), let live = state.live else {
            return false
        }
        let replicas = await orchestrator.replicas(of: appID)
        let wanted = live.counts(state.scales).values.reduce(0, +)
        return replicas.contains { $0.releaseID == id } && replicas.count { $0.releaseID == live.releaseID } < wanted
    }

    /// Brings the live release back whole in place of one that the last run rolled out when it ended.
    func bringBack(from release: ReleaseRecord) async {
        let reason = MoorError(.unavailable, "the platform stopped during the rollout")
        do throws(MoorError) {
            _ = try await exclusively(release.appID, log: .discard) { (change) async throws(MoorError) -> Int in
                try change.point.pass()
                let rollout = try await self.plan(release, .whole, change)
                return try await self.bringBack(rollout, reason)
            }
        } catch {
            // Whatever became of it, the live release alone is to run.
            await applyEventually(release.appID)
            logger.notice("a release is whole again", metadata: ["app": "\(release.appID)", "after": "\(error.message)"])
        }
    }

    private func bringBack(_ planned: Rollout, _ reason: MoorError) async throws(MoorError) -> Int {
        var rollout = planned
        rollout.waves.keep(Set(rollout.existing.map { .init(process: $0.process, ordinal: $0.ordinal) }))
        let appID = rollout.change.appID
        var machine = RolloutStateMachine(
            waves: rollout.waves, before: rollout.before, hasReleaseCommand: false, patience: patience(for: rollout.sets))
        let actions = machine.beginBringingBack(.stopped(reason))
        var state = underWay[appID] ?? UnderWay()
        state.rolling = rollout.releaseID
        state.isMixed = rollout.isMixed
        state.wanted[rollout.releaseID] = rollout.waves.coming
        if let previous = rollout.previous { state.wanted[previous.releaseID] = rollout.waves.going }
        underWay[appID] = state
        await traffic.refresh()
        // Nothing starts before the orchestrator was told so once.
        await applyEventually(appID)
        return try await drive(machine, actions, rollout)
    }
}
