import Models

/// One rollout from the release's row to live or failed. Pure: events and time go in, actions come out, in the order in
/// which they are to be done.
///
///     began → (release command) → apply old + new → every new replica ready → commit → switch traffic → retire old
///                    │                 │                    │                    │
///                    └──── fail ←──────┴─ revert to old ←───┴────────────────────┘
///
/// Traffic leaves the old release only after every new replica was ready in one observation; a rollout finishes exactly
/// once; after a failure the old release alone is desired.
struct RolloutStateMachine: Sendable {
    enum State: Sendable, Equatable {
        case planned
        /// The `release` process runs; nothing else has changed yet.
        case preparing
        /// The workload of both releases is on its way to the orchestrator.
        case applying
        /// The new replicas are coming up beside the old.
        case waiting
        /// The rows are being changed; too late to stop.
        case committing
        case switching
        case live
        case reverting(Failure)
        case failed(Failure)
    }

    enum Failure: Sendable, Equatable {
        case releaseCommand(MoorError)
        case replicas(Readiness.Failure)
        /// The orchestrator refused, or the rows could not be changed.
        case platform(MoorError)
        /// Somebody asked for an end: the pusher hung up, or the platform stops.
        case stopped(MoorError)
    }

    enum Event: Sendable {
        case began
        case prepared
        case preparationFailed(MoorError)
        case applied
        case applyFailed(MoorError)
        case observed([ReplicaStatus])
        case committed
        case commitFailed(MoorError)
        case switched
        case reverted
        case stopRequested(MoorError)
    }

    enum Action: Sendable, Equatable {
        case runReleaseCommand
        /// Hand the orchestrator the workload of both releases.
        case applyBoth
        /// Report the replicas on each change and at the deadline (since the start).
        case watch(until: Duration)
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
    private var readiness: Readiness
    private let hasReleaseCommand: Bool
    /// For the new replicas to come up, from when they were applied.
    private let patience: Duration
    private let releaseID: ReleaseID
    private let existing: [ReplicaStatus]
    /// When the new replicas were asked for.
    private var appliedAt: Duration = .zero

    /// - Parameter existing: replicas of the release from before this rollout, where it continues one.
    init(
        releaseID: ReleaseID, expected: Set<Readiness.Expected>, hasReleaseCommand: Bool, patience: Duration,
        existing: [ReplicaStatus] = []
    ) {
        self.releaseID = releaseID
        self.hasReleaseCommand = hasReleaseCommand
        self.patience = patience
        self.existing = existing
        readiness = Readiness(releaseID: releaseID, expected: expected, deadline: patience, existing: existing)
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
        case (.planned, .stopRequested(let error)), (.preparing, .stopRequested(let error)):
            return finish(.stopped(error))

        case (.applying, .applied):
            readiness = Readiness(
                releaseID: releaseID, expected: readiness.expected, deadline: elapsed + patience, existing: existing)
            guard !readiness.expected.isEmpty else {
                state = .committing
                return [.commit]
            }
            state = .waiting
            return [.watch(until: readiness.deadline)]
        case (.waiting, .observed(let replicas)):
            let (newlyReady, outcome) = readiness.observe(replicas, elapsed: elapsed)
            let announcements = newlyReady.map { Action.announce($0, after: elapsed - appliedAt) }
            switch outcome {
            case .waiting: return announcements
            case .ready:
                state = .committing
                return announcements + [.commit]
            case .failed(let failure): return announcements + revert(.replicas(failure))
            }
        case (.applying, .applyFailed(let error)), (.committing, .commitFailed(let error)):
            return revert(.platform(error))
        case (.applying, .stopRequested(let error)), (.waiting, .stopRequested(let error)):
            return revert(.stopped(error))

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

    /// Before anything was applied there is nothing to take back.
    private mutating func finish(_ failure: Failure) -> [Action] {
        state = .failed(failure)
        return [.recordFailure(failure), .fail(failure)]
    }

    private mutating func revert(_ failure: Failure) -> [Action] {
        state = .reverting(failure)
        return [.recordFailure(failure), .applyOldAlone]
    }
}
