import Models

/// What one try to reach a replica gave.
enum ProbeOutcome: Hashable, Sendable {
    case answered(status: Int)
    /// Nothing listens there.
    case refused
    /// The connection was taken, and no answer came in time.
    case silent

    var isGood: Bool {
        if case .answered(let status) = self { status < 500 } else { false }
    }
}

/// Whether a running replica is well, from its probes and the clock.
struct Health: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case starting
        case ready(since: Instant, failures: Int)
        case unhealthy(reason: String)
    }

    /// A process without HTTP is taken as ready once it ran that long.
    static let settling = Duration.seconds(1)
    /// Failed probes in a row that take a ready replica out of the traffic.
    static let tolerance = 3

    /// nil for a process without HTTP.
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

    func readyFor(at now: Instant) -> Duration? {
        if case .ready(let since, _) = phase { now - since } else { nil }
    }

    var state: ReplicaStatus.State {
        switch phase {
        case .starting: .starting
        case .ready: .ready
        case .unhealthy(let reason): .unhealthy(reason: reason)
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
            return failures + 1 >= Self.tolerance
        }
    }

    /// Why it is unhealthy, for people. A good answer in the meantime wins.
    mutating func found(reason: String) {
        if case .ready(_, let failures) = phase, failures < Self.tolerance { return }
        phase = .unhealthy(reason: reason)
    }

    /// A process without HTTP ran long enough.
    mutating func settled(at now: Instant) {
        guard check == nil, phase == .starting, now - startedAt >= Self.settling else { return }
        phase = .ready(since: now, failures: 0)
    }

    /// How long to wait before the next probe: a twentieth of its age at the start, so that readiness is seen within 5 % or
    /// 50 ms of the time it took, whichever is more.
    func pause(at now: Instant, interval: Duration) -> Duration {
        switch phase {
        case .starting: min(max((now - startedAt) / 20, .milliseconds(50)), .seconds(1))
        case .ready(_, let failures): failures == 0 ? interval : min(interval, .seconds(1))
        case .unhealthy: min(interval, .seconds(1))
        }
    }
}
