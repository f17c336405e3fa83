import GRDB
import Logging
import Models
import Store

/// One rollout as the service carries it out: the state machine's surroundings.
private struct Rollout: Sendable {
    var release: ReleaseRecord
    var releaseID: ReleaseID
    var change: Change
    /// The live release before; nil at the first.
    var previous: ReleaseRows?
    /// Runs once before; nil where the app has no `release` process.
    var command: ReplicaSet?
    var sets: [ReplicaSet]
    let started = ContinuousClock.now

    var elapsed: Duration { .now - started }
    var name: String { "v\(release.number)" }

    var expected: Set<Readiness.Expected> {
        Set(sets.flatMap { set in (1...set.count).map { Readiness.Expected(process: set.process.name, ordinal: $0) } })
    }
}

extension ReleaseService {
    /// Rolls the release out and returns its number once traffic is switched; the old release drains behind our back.
    /// The caller holds the app's lock.
    /// - Throws: what kept it from coming up; the old release then serves as before.
    func rollOut(_ release: ReleaseRecord, change: Change) async throws(MoorError) -> Int {
        let rollout: Rollout
        do throws(MoorError) {
            rollout = try await plan(release, change)
        } catch {
            await markFailed(release, error.message)
            prune(change.appID)
            throw error
        }
        let existing = await orchestrator.replicas(of: change.appID).filter { $0.releaseID == rollout.releaseID }
        var machine = RolloutStateMachine(
            releaseID: rollout.releaseID, expected: rollout.expected, hasReleaseCommand: rollout.command != nil,
            patience: patience(for: rollout.sets), existing: existing)
        // From before the replicas are asked for, so that nothing they do is missed.
        let changes = await orchestrator.changes(of: change.appID)
        var failure = MoorError(.internalError, "\(rollout.name) was not rolled out", hint: "the platform's log has the cause")

        await change.log.line("release \(rollout.name)")
        var actions = machine.handle(.began, elapsed: rollout.elapsed)
        while !actions.isEmpty {
            switch actions.removeFirst() {
            case .runReleaseCommand:
                actions += machine.handle(await prepare(rollout), elapsed: rollout.elapsed)
            case .applyBoth:
                actions += machine.handle(await applyBoth(rollout), elapsed: rollout.elapsed)
            case .watch(let deadline):
                await watch(change.appID, changes: changes, until: rollout.started + deadline) { replicas in
                    let stop = stopRequests[change.appID].map(RolloutStateMachine.Event.stopRequested)
                    for action in machine.handle(stop ?? .observed(replicas), elapsed: rollout.elapsed) {
                        if case .announce(let replica, let after) = action {
                            await announce(replica, after: after, rollout)
                        } else {
                            actions.append(action)
                        }
                    }
                    return machine.state != .waiting
                }
            case .announce(let replica, let after):
                await announce(replica, after: after, rollout)
            case .commit:
                actions += machine.handle(await commit(rollout), elapsed: rollout.elapsed)
            case .switchTraffic:
                await traffic.refresh()
                await change.log.line("traffic switched to \(rollout.name) (\(rollout.elapsed.inSeconds))")
                actions += machine.handle(.switched, elapsed: rollout.elapsed)
            case .retireOld:
                retire(rollout.previous?.releaseID, of: change.appID)
            case .recordFailure(let reason):
                failure = await explain(reason, rollout)
                await markFailed(release, failure.message)
                logger.notice(
                    "release failed",
                    metadata: ["app": "\(change.app)", "release": "\(rollout.name)", "reason": "\(failure.message)"])
            case .applyOldAlone:
                underWay[change.appID]?.rolling = nil
                await applyEventually(change.appID)
                actions += machine.handle(.reverted, elapsed: rollout.elapsed)
            case .fail:
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

    private func plan(_ release: ReleaseRecord, _ change: Change) async throws(MoorError) -> Rollout {
        let environment = try await environment()
        guard let releaseID = release.id, let state = try await desiredState(of: change.appID) else {
            throw MoorError(.conflict, "the app is being deleted")
        }
        let rows = try await store.read { db in try ReleaseRows.fetch(releaseID, db) }
        return Rollout(
            release: release, releaseID: releaseID, change: change, previous: state.live,
            command: try rows.releaseCommand(app: change.app, environment: environment),
            sets: try rows.replicaSets(of: state, environment: environment))
    }

    /// How long the new replicas may take: the longest health check, and time for the machine to start them all.
    private func patience(for sets: [ReplicaSet]) -> Duration {
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
        underWay[rollout.change.appID, default: UnderWay()].rolling = rollout.releaseID
        do throws(MoorError) { try await apply(rollout.change.appID) } catch { return .applyFailed(error) }
        return .applied
    }

    private func commit(_ rollout: Rollout) async -> RolloutStateMachine.Event {
        do throws(MoorError) { try await commit(rollout.release) } catch { return .commitFailed(error) }
        // Live by its row now; the old one stays until it has drained.
        var state = underWay[rollout.change.appID] ?? UnderWay()
        state.rolling = nil
        if let previous = rollout.previous { state.draining.append(previous.releaseID) }
        underWay[rollout.change.appID] = state
        return .committed
    }

    private func announce(_ replica: Readiness.Expected, after: Duration, _ rollout: Rollout) async {
        let width = rollout.expected.map(\.name.count).max() ?? 0
        let name = replica.name + String(repeating: " ", count: width - replica.name.count)
        await rollout.change.log.line("\(name) is \(replica.answersHTTP ? "healthy" : "running") (\(after.inSeconds))")
    }

    private func explain(_ failure: RolloutStateMachine.Failure, _ rollout: Rollout) async -> MoorError {
        let serving = rollout.previous.map { "v\($0.release.number) keeps serving" }
        let advice: String? =
            switch rollout.release.cause {
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
        case .replicas(let failure):
            return await explain(failure, of: rollout.name, releaseID: rollout.releaseID, appID: rollout.change.appID, hint: hint)
        case .platform(let error), .stopped(let error):
            return error
        }
    }
}
