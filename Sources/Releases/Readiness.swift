import Models

/// Whether the replicas that a change needs have come up. Pure: observations and time go in, what is known comes out.
struct Readiness: Sendable {
    /// A replica that has to become ready.
    struct Expected: Hashable, Sendable, Comparable {
        var process: String
        /// 1-based.
        var ordinal: Int

        var name: String { "\(process).\(ordinal)" }
        var answersHTTP: Bool { process == "web" }

        static func < (a: Expected, b: Expected) -> Bool {
            // The web first, as people look for it first.
            (a.answersHTTP ? 0 : 1, a.process, a.ordinal) < (b.answersHTTP ? 0 : 1, b.process, b.ordinal)
        }
    }

    /// Why the replicas did not come up.
    enum Failure: Sendable, Hashable {
        /// One ended or does not answer.
        case replica(ReplicaID, Expected, reason: String)
        /// The time is over and it is still pending.
        case noRoom(Expected, reason: String)
        /// The time is over and these were never heard to be ready.
        case late([Expected], after: Duration)
    }

    enum Outcome: Sendable, Hashable {
        case waiting, ready
        case failed(Failure)
    }

    let releaseID: ReleaseID
    /// Grows with the waves.
    var expected: Set<Expected>
    /// From the start of the change.
    var deadline: Duration
    /// Restarts before the change that do not count against a replica: those of replicas that were there already.
    private let earlierRestarts: [ReplicaID: Int]
    private var announced: Set<Expected> = []

    init(releaseID: ReleaseID, expected: Set<Expected>, deadline: Duration, existing: [ReplicaStatus] = []) {
        self.releaseID = releaseID
        self.expected = expected
        self.deadline = deadline
        earlierRestarts = Dictionary(existing.map { ($0.replicaID, $0.restarts) }, uniquingKeysWith: { $1 })
    }

    /// - Parameter elapsed: since the start of the change.
    /// - Returns: the replicas that are seen ready for the first time, in order, and where things stand.
    mutating func observe(_ replicas: [ReplicaStatus], elapsed: Duration) -> (newlyReady: [Expected], outcome: Outcome) {
        var ready: Set<Expected> = []
        var failures: [(Expected, Failure)] = []
        for replica in replicas where replica.releaseID == releaseID {
            let key = Expected(process: replica.process, ordinal: replica.ordinal)
            guard expected.contains(key) else { continue }
            if let reason = failure(of: replica) {
                failures.append((key, .replica(replica.replicaID, key, reason: reason)))
            } else if replica.state == .ready {
                ready.insert(key)
            }
        }
        let new = ready.subtracting(announced).sorted()
        announced.formUnion(new)
        if let first = failures.min(by: { $0.0 < $1.0 }) { return (new, .failed(first.1)) }
        if ready == expected { return (new, .ready) }
        if elapsed >= deadline, let first = late(replicas).min(by: { $0.0 < $1.0 }) { return (new, .failed(first.1)) }
        if elapsed >= deadline { return (new, .failed(.late(expected.subtracting(ready).sorted(), after: elapsed))) }
        return (new, .waiting)
    }

    /// Those for which there was no room in all the time.
    private func late(_ replicas: [ReplicaStatus]) -> [(Expected, Failure)] {
        replicas.compactMap { replica in
            let key = Expected(process: replica.process, ordinal: replica.ordinal)
            guard replica.releaseID == releaseID, expected.contains(key), case .pending(let reason) = replica.state else { return nil }
            return (key, .noRoom(key, reason: reason))
        }
    }

    /// What is wrong with the replica, for people; nil where nothing is.
    private func failure(of replica: ReplicaStatus) -> String? {
        switch replica.state {
        case .backingOff(let exitCode, let reason, _), .crashLooping(let exitCode, let reason, _):
            if !reason.isEmpty { return reason }
            return exitCode.map { "it exited with code \($0)" } ?? "it ended"
        case .unhealthy(let reason):
            return reason
        case .pending:
            return nil
        case .starting, .ready, .stopping:
            // Observations are coalesced: an exit may have passed unseen and left only its count.
            return replica.restarts > earlierRestarts[replica.replicaID] ?? 0 ? "it exited and was started again" : nil
        }
    }
}
