import Models

/// What one try to reach a replica gave.
enum ProbeOutcome: Hashable, Sendable {
    case answered(status: Int)
    /// Nothing listens there.
    case refused
    /// The connection was taken, and no answer came in time.
    case silent
    /// The connection was taken, and no more was asked.
    case connected
    /// The check's command ended.
    case exited(code: Int)

    var isGood: Bool {
        switch self {
        case .answered(let status): status < 500
        case .connected: true
        case .exited(let code): code == 0
        case .refused, .silent: false
        }
    }
}

/// Whether a running replica is well, from its probes and the clock.
struct Health: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case starting
        case ready(since: Instant, failures: Int)
        /// `wellFor` says how long it had been ready before.
        case unhealthy(reason: String, since: Instant, wellFor: Duration?)
    }

    /// A process without HTTP is taken as ready once it ran that long.
    static let settling = Duration.seconds(1)
    /// nil for a process that is not looked at.
    let check: HealthCheck?
    let startedAt: Instant
    private(set) var phase: Phase = .starting
    private(set) var lastOutcome: ProbeOutcome?

    init(check: HealthCheck?, startedAt: Instant) {
        self.check = check
        self.startedAt = startedAt
    }

    var isReady: Bool {
        if case .ready = phase { true } else { false }
    }

    /// Failed probes in a row that take a ready replica out of the traffic.
    var tolerance: Int { check?.failureThreshold ?? 3 }

    /// How long it is ready, or was before it became unhealthy.
    func readyFor(at now: Instant) -> Duration? {
        switch phase {
        case .starting: nil
        case .ready(let since, _): now - since
        case .unhealthy(_, _, let wellFor): wellFor
        }
    }

    /// Whether it has been unhealthy for so long that another container may do better.
    /// - Parameter usual: the platform's patience, where the check says none.
    func isHung(at now: Instant, usual: Duration) -> Bool {
        guard let check, case .unhealthy(_, let since, _) = phase else { return false }
        let patience = check.restartAfterSeconds.map { Duration.seconds($0) } ?? usual
        return patience > .zero && now - since >= patience
    }

    var state: ReplicaStatus.State {
        switch phase {
        case .starting: .starting
        case .ready: .ready
        case .unhealthy(let reason, _, _): .unhealthy(reason: reason)
        }
    }

    /// Whether the time for the first good answer is over without one.
    func isOverdue(at now: Instant) -> Bool {
        guard let check, phase == .starting else { return false }
        return now - startedAt >= .seconds(check.timeoutSeconds)
    }

    /// Takes a probe's result.
    /// - Returns: true where the replica has now failed so often that its reason should be looked for and told to `found`.
    mutating func observed(_ outcome: ProbeOutcome, at now: Instant) -> Bool {
        lastOutcome = outcome
        if outcome.isGood {
            if case .ready(let since, _) = phase {
                phase = .ready(since: since, failures: 0)
            } else {
                phase = .ready(since: now, failures: 0)
            }
            return false
        }
        switch phase {
        case .starting, .unhealthy: return isOverdue(at: now)
        case .ready(let since, let failures):
            phase = .ready(since: since, failures: failures + 1)
            return failures + 1 >= tolerance
        }
    }

    /// Why it is unhealthy, for people. A good answer in the meantime wins.
    mutating func found(reason: String, at now: Instant) {
        switch phase {
        case .ready(_, let failures) where failures < tolerance: return
        case .unhealthy: return
        case .ready, .starting: phase = .unhealthy(reason: reason, since: now, wellFor: readyFor(at: now))
        }
    }

    /// A process without HTTP ran long enough.
    mutating func settled(at now: Instant) {
        guard check == nil, phase == .starting, now - startedAt >= Self.settling else { return }
        phase = .ready(since: now, failures: 0)
    }

    /// How long to wait before the next probe: a twentieth of its age at the start, so that readiness is seen within 5 % or
    /// 50 ms of the time it took, whichever is more.
    /// - Parameter usual: the platform's interval, where the check says none.
    func pause(at now: Instant, usual: Duration) -> Duration {
        let interval = check?.intervalSeconds.map { Duration.seconds($0) } ?? usual
        return switch phase {
        case .starting: min(max((now - startedAt) / 20, .milliseconds(50)), .seconds(1))
        case .ready(_, let failures): failures == 0 ? interval : min(interval, .seconds(1))
        case .unhealthy: min(interval, .seconds(1))
        }
    }
}
