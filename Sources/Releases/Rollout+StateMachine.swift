import Models

/// One rollout from the release's row to live or failed. Pure: events and time go in, actions come out, in the order in
/// which they are to be done.
///
///     began → (release command) → apply → (wave after wave) → every new replica ready → commit → switch traffic → retire old
///                    │              │          │                    │                    │
///                    └──── fail ←───┴── bring back what went ←──────┴─ revert to old ←───┘
///
/// The old release goes only as far as the waves allow, and wholly only after every new replica was ready in one
/// observation; a rollout finishes exactly once; after a failure the old release alone is desired.
struct RolloutStateMachine: Sendable {
    enum State: Sendable, Equatable {
        case planned
        /// The `release` process runs; nothing else has changed yet.
        case preparing
        /// The workload of both releases is on its way to the orchestrator.
        case applying
        /// The new replicas are coming up beside the old.
        case waiting
        /// A wave is being asked for.
        case stepping
        /// The rows are being changed; too late to stop.
        case committing
        case switching
        case live
        /// Waves in the other direction.
        case bringingBack(Failure)
        case steppingBack(Failure)
        case reverting(Failure)
        case failed(Failure)
    }

    enum Failure: Sendable, Equatable {
        case releaseCommand(MoorError)
        case replicas(Readiness.Failure)
        /// The orchestrator refused, or the rows could not be changed.
        case platform(MoorError)
        /// Somebody asked for an end: the pusher hung up, it was undone, or the platform stops.
        case stopped(MoorError)
    }

    enum Event: Sendable {
        case began
        case prepared
        case preparationFailed(MoorError)
        case applied
        case applyFailed(MoorError)
        /// `leaving`: taken out and still counting. Where it is paused nothing but a failure moves it.
        case observed([ReplicaStatus], leaving: Set<Readiness.Expected> = [], isPaused: Bool = false)
        case stepped
        case committed
        case commitFailed(MoorError)
        case switched
        case reverted
        /// At once, whatever is lost by it: there is no traffic any more, or nothing to come back to.
        case stopRequested(MoorError)
        /// Without a request lost.
        case undoRequested(MoorError, leaving: Set<Readiness.Expected> = [])
    }

    enum Action: Sendable, Equatable {
        case runReleaseCommand
        /// Hand the orchestrator the workload of both releases.
        case applyBoth
        /// Report the replicas on each change and at `deadline`, until something is to be done.
        case watch(until: Duration)
        /// Take replicas out of the traffic and ask for others, as `waves` has them now.
        case step(Waves.Step)
        /// `after`: since the new replicas were asked for.
        case announce(Readiness.Expected, after: Duration)
        /// In one transaction: new live, old superseded.
        case commit
        case switchTraffic(after: Duration)
        /// Drain and stop the old release's replicas; nobody waits for it.
        case retireOld
        case recordFailure(Failure)
        /// Hand the orchestrator the workload of the old release alone.
        case applyOldAlone
        case succeed
        case fail(Failure)
    }

    private(set) var state: State = .planned
    private(set) var waves: Waves
    private var readiness: Readiness
    private let hasReleaseCommand: Bool
    /// For replicas to come up, from when they were asked for.
    private let patience: Duration
    private let existing: [ReplicaStatus]
    /// Replicas of the release before, by process.
    private let before: [String: Int]
    /// When the new replicas were asked for.
    private var appliedAt: Duration = .zero

    /// - Parameters:
    ///   - before: how many replicas of each process the release before has.
    ///   - existing: replicas of the release from before this rollout, where it continues one.
    init(
        waves: Waves, before: [String: Int] = [:], hasReleaseCommand: Bool, patience: Duration, existing: [ReplicaStatus] = []
    ) {
        self.waves = waves
        self.before = before
        self.hasReleaseCommand = hasReleaseCommand
        self.patience = patience
        self.existing = existing
        readiness = Readiness(releaseID: waves.comingID, expected: waves.coming, deadline: patience, existing: existing)
    }

    /// When to look again though nothing changed.
    var deadline: Duration { readiness.deadline }
    var isReverting: Bool {
        switch state {
        case .bringingBack, .steppingBack, .reverting: true
        default: false
        }
    }

    /// Begins where a rollout that is lost has left the old release in part.
    mutating func beginBringingBack(_ failure: Failure, leaving: Set<Readiness.Expected> = []) -> [Action] {
        revert(failure, elapsed: .zero, leaving: leaving)
    }

    /// - Parameter elapsed: since the rollout began. Events that make no sense in the current state change nothing.
    mutating func handle(_ event: Event, elapsed: Duration) -> [Action] {
        switch (state, event) {
        case (.planned, .began):
            guard hasReleaseCommand else { return apply(elapsed) }
            state = .preparing
            return [.runReleaseCommand]
        case (.preparing, .prepared):
            return apply(elapsed)
        case (.preparing, .preparationFailed(let error)):
            return finish(.releaseCommand(error))
        case (.planned, .stopRequested(let error)), (.preparing, .stopRequested(let error)),
            (.planned, .undoRequested(let error, _)), (.preparing, .undoRequested(let error, _)):
            return finish(.stopped(error))

        case (.applying, .applied):
            readiness.deadline = elapsed + patience
            guard !waves.all.isEmpty else {
                state = .committing
                return [.commit]
            }
            state = .waiting
            return [.watch(until: deadline)]
        case (.waiting, .observed(let replicas, let leaving, let isPaused)):
            return observe(replicas, leaving: leaving, isPaused: isPaused, elapsed: elapsed)
        case (.stepping, .stepped):
            state = .waiting
            readiness.deadline = elapsed + patience
            return [.watch(until: deadline)]
        case (.applying, .applyFailed(let error)), (.committing, .commitFailed(let error)), (.stepping, .applyFailed(let error)):
            return revert(.platform(error), elapsed: elapsed)
        case (.waiting, .undoRequested(let error, let leaving)), (.stepping, .undoRequested(let error, let leaving)),
            (.applying, .undoRequested(let error, let leaving)):
            return revert(.stopped(error), elapsed: elapsed, leaving: leaving)
        case (.applying, .stopRequested(let error)), (.waiting, .stopRequested(let error)), (.stepping, .stopRequested(let error)):
            state = .reverting(.stopped(error))
            return [.recordFailure(.stopped(error)), .applyOldAlone]

        case (.bringingBack(let failure), .observed(let replicas, let leaving, _)):
            return bringBack(replicas, leaving: leaving, after: failure, elapsed: elapsed)
        case (.steppingBack(let failure), .stepped):
            state = .bringingBack(failure)
            return [.watch(until: deadline)]
        case (.bringingBack(let failure), .stopRequested), (.steppingBack(let failure), .stopRequested),
            (.steppingBack(let failure), .applyFailed):
            state = .reverting(failure)
            return [.applyOldAlone]

        case (.committing, .committed):
            state = .switching
            return [.switchTraffic(after: elapsed)]
        case (.switching, .switched):
            state = .live
            return [.retireOld, .succeed]
        case (.reverting(let failure), .reverted):
            state = .failed(failure)
            return [.fail(failure)]
        default:
            return []
        }
    }

    private mutating func apply(_ elapsed: Duration) -> [Action] {
        state = .applying
        appliedAt = elapsed
        return [.applyBoth]
    }

    private mutating func observe(
        _ replicas: [ReplicaStatus], leaving: Set<Readiness.Expected>, isPaused: Bool, elapsed: Duration
    ) -> [Action] {
        let (newlyReady, outcome) = readiness.observe(replicas, elapsed: elapsed)
        let announcements = newlyReady.map { Action.announce($0, after: elapsed - appliedAt) }
        switch outcome {
        case .waiting: break
        case .ready:
            // Somebody else is waited for: the replicas have time again from when they are not ready.
            readiness.deadline = elapsed + patience
            if waves.isWhole {
                guard !isPaused else { return announcements }
                state = .committing
                return announcements + [.commit]
            }
        case .failed(let failure): return announcements + revert(.replicas(failure), elapsed: elapsed, leaving: leaving)
        }
        guard !isPaused else { return announcements }
        let step = waves.next(replicas, leaving: leaving)
        guard !step.isEmpty else { return announcements }
        state = .stepping
        readiness.expected = waves.coming
        return announcements + [.step(step)]
    }

    private mutating func bringBack(
        _ replicas: [ReplicaStatus], leaving: Set<Readiness.Expected>, after failure: Failure, elapsed: Duration
    ) -> [Action] {
        let back = replicas.filter { $0.releaseID == waves.comingID && $0.state == .ready }
        let ready = Set(back.map { Readiness.Expected(process: $0.process, ordinal: $0.ordinal) })
        let step = waves.next(replicas, leaving: leaving)
        guard !waves.all.isSubset(of: ready), elapsed < deadline else {
            state = .reverting(failure)
            return [.applyOldAlone]
        }
        guard !step.isEmpty else { return [] }
        state = .steppingBack(failure)
        readiness.deadline = elapsed + patience
        return [.step(step)]
    }

    /// Before anything was applied there is nothing to take back.
    private mutating func finish(_ failure: Failure) -> [Action] {
        state = .failed(failure)
        return [.recordFailure(failure), .fail(failure)]
    }

    /// Where nothing of the old release has gone, it alone is desired at once; else it comes back first.
    private mutating func revert(_ failure: Failure, elapsed: Duration, leaving: Set<Readiness.Expected> = []) -> [Action] {
        guard let turned = waves.turned(wanted: before, leaving: leaving), !turned.isWhole || !leaving.isEmpty else {
            state = .reverting(failure)
            return [.recordFailure(failure), .applyOldAlone]
        }
        waves = turned
        readiness.deadline = elapsed + patience
        guard leaving.isEmpty else {
            // What is still there is put back before it ends.
            state = .steppingBack(failure)
            return [.recordFailure(failure), .step(Waves.Step(ask: leaving))]
        }
        state = .bringingBack(failure)
        return [.recordFailure(failure), .watch(until: deadline)]
    }
}
