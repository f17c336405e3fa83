import GRDB
import Logging
import Models
import Store

extension ReleaseService {
    /// Rolls the release out and returns its number once traffic is switched; the old release drains behind our back.
    /// The caller holds the app's lock.
    /// - Throws: what kept it from coming up; the old release then serves as before.
    func rollOut(_ release: ReleaseRecord, as kind: Rollout.Kind, change: Change) async throws(MoorError) -> Int {
        let rollout: Rollout
        do throws(MoorError) {
            rollout = try await plan(release, kind, change)
        } catch {
            if case .promotion = kind { throw error }
            await markFailed(release, error.message)
            prune(change.appID)
            throw error
        }
        var machine = RolloutStateMachine(
            waves: rollout.waves, before: rollout.before, hasReleaseCommand: rollout.command != nil,
            patience: patience(for: rollout.sets), existing: rollout.existing)
        await change.log.line("release \(rollout.name)")
        let actions = machine.handle(.began, elapsed: rollout.elapsed)
        return try await drive(machine, actions, rollout)
    }

    /// Does what the machine asks for until it has come to its end.
    func drive(
        _ machine: RolloutStateMachine, _ actions: [RolloutStateMachine.Action], _ rollout: Rollout
    ) async throws(MoorError) -> Int {
        var (machine, actions) = (machine, actions)
        let (change, release) = (rollout.change, rollout.release)
        // From before the replicas are asked for, so that nothing they do is missed.
        var changes: AsyncStream<Void>? = await orchestrator.changes(of: change.appID)
        var failure = MoorError(.internalError, "\(rollout.name) was not rolled out", hint: "the platform's log has the cause")
        rollouts[change.appID] = RolloutUnderWay(rollout)
        defer { rollouts[change.appID] = nil }
        var pending: Set<String> = []
        while !actions.isEmpty {
            let action = actions.removeFirst()
            rollouts[change.appID]?.isReverting = machine.isReverting
            switch action {
            case .runReleaseCommand:
                actions += machine.handle(await prepare(rollout), elapsed: rollout.elapsed)
            case .applyBoth:
                actions += machine.handle(await applyBoth(rollout), elapsed: rollout.elapsed)
            case .watch:
                let stream = if let changes { changes } else { await orchestrator.changes(of: change.appID) }
                changes = nil
                var hold = PauseHold()
                await watch(change.appID, changes: stream) { replicas in
                    for replica in replicas where replica.releaseID == rollout.releaseID {
                        guard case .pending(let reason) = replica.state, pending.insert(replica.name).inserted else { continue }
                        await change.log.line("\(replica.name) is pending: \(reason)")
                    }
                    let event = await event(replicas, machine, &hold, rollout)
                    for action in machine.handle(event, elapsed: rollout.elapsed) {
                        if case .announce(let replica, let after) = action {
                            await announce(replica, after: after, rollout)
                        } else {
                            actions.append(action)
                        }
                    }
                    return actions.isEmpty ? rollout.started + min(machine.deadline, hold.until ?? machine.deadline) : nil
                }
            case .step(let step):
                actions += machine.handle(await take(step, machine.waves, rollout), elapsed: rollout.elapsed)
            case .announce(let replica, let after):
                await announce(replica, after: after, rollout)
            case .commit:
                actions += machine.handle(await commit(rollout), elapsed: rollout.elapsed)
            case .switchTraffic:
                await traffic.refresh()
                await change.log.line("\(rollout.switched) (\(rollout.elapsed.inSeconds))")
                actions += machine.handle(.switched, elapsed: rollout.elapsed)
            case .retireOld:
                if case .canary(_, let isNew) = rollout.kind {
                    if !isNew { retireSurplus(of: rollout) }
                } else {
                    await makeRoom(for: change)
                    retire(rollout.previous?.releaseID, of: change.appID)
                }
            case .recordFailure(let reason):
                failure = await explain(reason, rollout)
                if !rollout.staysCanary, !isToOutlive(rollout) { await markFailed(release, failure.message) }
                logger.notice(
                    "release failed",
                    metadata: ["app": "\(change.app)", "release": "\(rollout.name)", "reason": "\(failure.message)"])
            case .applyOldAlone:
                await applyOldAlone(rollout)
                actions += machine.handle(.reverted, elapsed: rollout.elapsed)
            case .fail:
                if !isToOutlive(rollout) { await forgetPause(of: change.appID) }
                prune(change.appID)
                throw failure
            case .succeed:
                logger.info(
                    "release live",
                    metadata: ["app": "\(change.app)", "release": "\(rollout.name)", "seconds": "\(rollout.elapsed.inSeconds)"])
                return release.number
            }
        }
        throw failure
    }

    func plan(_ release: ReleaseRecord, _ kind: Rollout.Kind, _ change: Change) async throws(MoorError) -> Rollout {
        let environment = try await environment()
        guard let releaseID = release.id, let state = try await desiredState(of: change.appID) else {
            throw MoorError(.conflict, "the app is being deleted")
        }
        let rows = try await store.read { db in try ReleaseRows.fetch(releaseID, db) }
        return try Rollout(
            kind: kind, release: release, change: change, rows: rows, state: state,
            replicas: await orchestrator.replicas(of: change.appID), environment: environment)
    }

    /// How long the new replicas may take: the longest health check, and time for the machine to start them all.
    func patience(for sets: [ReplicaSet]) -> Duration {
        let health = sets.compactMap(\.process.health?.timeoutSeconds).max() ?? 0
        return .seconds(health + sets.reduce(0) { $0 + $1.count } / 2) + configuration.readySlack
    }

    private func prepare(_ rollout: Rollout) async -> RolloutStateMachine.Event {
        guard let command = rollout.command else { return .prepared }
        let (change, orchestrator) = (rollout.change, orchestrator)
        await change.log.line("running the release command: \(command.process.command)")
        do throws(MoorError) {
            try await change.point.run { () throws(MoorError) in
                try await self.runReleaseCommand(command, change, on: orchestrator)
            }
            await change.log.line("the release command is done (\(rollout.elapsed.inSeconds))")
            return .prepared
        } catch {
            return error.code == .cancelled || isStopping ? .stopRequested(error) : .preparationFailed(error)
        }
    }

    private func applyBoth(_ rollout: Rollout) async -> RolloutStateMachine.Event {
        let counts = rollout.sets.map { "\($0.count) \($0.count == 1 ? "replica" : "replicas") of \($0.process.name)" }
        await rollout.change.log.line(
            counts.isEmpty ? "nothing to start: every process is scaled to 0" : "starting \(counts.joined(separator: ", "))")
        do throws(MoorError) { try rollout.change.point.pass() } catch { return .stopRequested(error) }
        let appID = rollout.change.appID
        underWay[appID, default: UnderWay()].rolling = rollout.releaseID
        if rollout.hasWaves {
            underWay[appID]?.isMixed = rollout.isMixed
            if let previous = rollout.previous { underWay[appID]?.wanted[previous.releaseID] = rollout.waves.going }
        }
        // A canary has a part of its processes' replicas only.
        if rollout.hasWaves || rollout.isCanary { underWay[appID]?.wanted[rollout.releaseID] = rollout.waves.coming }
        do throws(MoorError) { try await apply(appID) } catch { return .applyFailed(error) }
        return .applied
    }

    private func commit(_ rollout: Rollout) async -> RolloutStateMachine.Event {
        do throws(MoorError) {
            if case .canary(let percent, _) = rollout.kind {
                try await commitCanary(rollout.release, percent: percent)
            } else {
                try await commit(rollout.release)
            }
        } catch { return .commitFailed(error) }
        // Live by its row now; the old one stays until it has drained.
        var state = underWay[rollout.change.appID] ?? UnderWay()
        state.rolling = nil
        state.isMixed = false
        state.wanted[rollout.releaseID] = nil
        state.out[rollout.releaseID] = nil
        if !rollout.isCanary, let previous = rollout.previous { state.draining.append(previous.releaseID) }
        underWay[rollout.change.appID] = state
        return .committed
    }

    private func announce(_ replica: Readiness.Expected, after: Duration, _ rollout: Rollout) async {
        let width = rollout.waves.all.map(\.name.count).max() ?? 0
        let name = replica.name + String(repeating: " ", count: width - replica.name.count)
        await rollout.change.log.line("\(name) is \(replica.answersHTTP ? "healthy" : "running") (\(after.inSeconds))")
    }

    private func explain(_ failure: RolloutStateMachine.Failure, _ rollout: Rollout) async -> MoorError {
        let serving = rollout.previous.map { "v\($0.release.number) keeps serving" }
        let advice: String? =
            switch rollout.release.cause {
            case _ where rollout.isOfResources: "the resources are as they were before"
            case _ where rollout.staysCanary: "\(rollout.name) stays a canary"
            case .push: "fix the app and push again"
            case .config: "the config is as it was before"
            case .rollback: nil
            }
        let hint = [serving, advice].compactMap(\.self).joined(separator: "; ")
        switch failure {
        case .releaseCommand(let error):
            return MoorError(
                error.code, "the release command of \(rollout.name) failed: \(error.message)", hint: hint.isEmpty ? error.hint : hint,
                detail: error.detail)
        case .replicas(.noRoom(let replica, let reason)):
            return await explain(
                .noRoom(replica, reason: reason), of: rollout.name, releaseID: rollout.releaseID, appID: rollout.change.appID,
                hint: serving ?? "")
        case .replicas(let failure):
            return await explain(failure, of: rollout.name, releaseID: rollout.releaseID, appID: rollout.change.appID, hint: hint)
        case .platform(let error), .stopped(let error):
            return error
        }
    }
}

extension Rollout {
    var isCanary: Bool { if case .canary = kind { true } else { false } }

    fileprivate var switched: String {
        if case .canary(let percent, _) = kind { "\(name) gets \(percent) % of the viewers" } else { "traffic switched to \(name)" }
    }
}

extension RolloutUnderWay {
    init(_ rollout: Rollout) {
        self.init(
            number: rollout.release.number, releaseID: rollout.releaseID, previousID: rollout.previous?.releaseID, since: now(),
            before: rollout.before, after: Dictionary(rollout.sets.map { ($0.process.name, $0.count) }) { $1 },
            isMixed: rollout.isMixed)
    }
}
