import Models

typealias Instant = ContinuousClock.Instant

/// A place for one replica: which one of which process of which release.
struct Slot: Hashable, Sendable, Comparable {
    var releaseID: ReleaseID
    var process: String
    /// 1-based.
    var ordinal: Int

    static func < (a: Slot, b: Slot) -> Bool {
        (a.releaseID.rawValue, a.process, a.ordinal) < (b.releaseID.rawValue, b.process, b.ordinal)
    }
}

/// Why a replica is not running, for people.
struct Failure: Hashable, Sendable {
    /// nil where it did not come so far as to run.
    var exitCode: Int?
    var reason: String
}

/// One replica as a value: the row's identity and what its container is doing. Changes come from outside with the time
/// they happened, so that every history can be played in a test.
struct Replica: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// There is no container; one is launched at `until`. `failure` says how the last one ended.
        case waiting(until: Instant, failure: Failure?)
        /// A container is being created and started.
        case launching
        case running(containerID: String, address: String?, since: Instant, health: Health)
        /// It ended; its last words are being read and its container removed.
        case burying(containerID: String)
        /// Being stopped and removed for good.
        case ending(containerID: String?)
    }

    let id: ReplicaID
    let slot: Slot
    let releaseNumber: Int
    let process: ProcessSpec
    /// Of what its container is made from.
    let digest: String
    var phase: Phase
    var restarts = 0
    /// Ends and failed starts in a row.
    var failures = 0
    /// Seconds since 1970.
    var startedAt: Double?
    /// Why its container is stopped for another, where that was our decision.
    var hung: String?
    /// What it needs that is not free; nil where it has a place on the machine, or has not asked yet.
    var pending: String?

    init(id: ReplicaID, slot: Slot, releaseNumber: Int, process: ProcessSpec, digest: String, phase: Phase, restarts: Int = 0) {
        self.id = id
        self.slot = slot
        self.releaseNumber = releaseNumber
        self.process = process
        self.digest = digest
        self.phase = phase
        self.restarts = restarts
    }

    /// Ends in a row from which on it is said to loop.
    static let looping = 3

    var name: String { "\(slot.process).\(slot.ordinal)" }

    var isReady: Bool {
        if case .running(_, _, _, let health) = phase { health.isReady } else { false }
    }

    var containerID: String? {
        switch phase {
        case .waiting, .launching: nil
        case .running(let id, _, _, _), .burying(let id): id
        case .ending(let id): id
        }
    }

    /// How much of a replica there is: of two for one slot the further one is kept.
    var standing: Int {
        switch phase {
        case .ending: 0
        case .burying, .waiting: 1
        case .launching: 2
        case .running(_, _, _, let health): health.isReady ? 4 : 3
        }
    }
}

extension Replica {
    /// The container runs.
    mutating func started(containerID: String, address: String?, at now: Instant, unixTime: Double) {
        guard phase == .launching else { return }
        phase = .running(containerID: containerID, address: address, since: now, health: Health(check: process.health, startedAt: now))
        startedAt = unixTime
        hung = nil
    }

    /// Its container ended. - Returns: false where it was not running that container.
    mutating func ended(containerID: String, at now: Instant, backoff: Backoff) -> Bool {
        guard case .running(containerID, _, _, let health) = phase else { return false }
        if let readyFor = health.readyFor(at: now), readyFor >= backoff.delay(failures: failures) * backoff.healthyWaits { failures = 0 }
        phase = .burying(containerID: containerID)
        return true
    }

    /// It could not be started, or its last words are read: wait, then start again.
    mutating func failed(_ failure: Failure, at now: Instant, backoff: Backoff) {
        switch phase {
        case .launching, .burying: break
        case .waiting, .running, .ending: return
        }
        failures += 1
        restarts += 1
        phase = .waiting(until: now + backoff.delay(failures: failures), failure: failure)
    }

    /// The engine could not be asked to start it, which is no fault of the app.
    mutating func postponed(until: Instant) {
        guard phase == .launching else { return }
        phase = .waiting(until: until, failure: nil)
    }

    /// To be stopped for good. - Returns: true where it may be stopped now, false where whoever works on it stops it after.
    mutating func end() -> Bool {
        switch phase {
        case .waiting:
            phase = .ending(containerID: nil)
            return true
        case .running(let containerID, _, _, _):
            phase = .ending(containerID: containerID)
            return true
        case .launching:
            phase = .ending(containerID: nil)
            return false
        case .burying(let containerID):
            phase = .ending(containerID: containerID)
            return false
        case .ending: return false
        }
    }

    /// What others are told.
    func status(appID: AppID, at now: Instant) -> ReplicaStatus {
        var endpoint: Endpoint?
        let state: ReplicaStatus.State
        switch phase {
        case .waiting(_, nil): state = pending.map { .pending(reason: $0) } ?? .starting
        case .launching, .burying: state = .starting
        case .waiting(let until, .some(let failure)):
            let seconds = max(0, Int(((until - now) / .seconds(1)).rounded(.up)))
            state =
                failures < Self.looping
                ? .backingOff(exitCode: failure.exitCode, reason: failure.reason, retryAfterSeconds: seconds)
                : .crashLooping(exitCode: failure.exitCode, reason: failure.reason, retryAfterSeconds: seconds)
        case .running(_, let address, _, let health):
            state = health.state
            if process.isWeb, let address { endpoint = Endpoint(host: address, port: process.listensOn) }
        case .ending: state = .stopping
        }
        return ReplicaStatus(
            replicaID: id, appID: appID, releaseID: slot.releaseID, releaseNumber: releaseNumber, process: slot.process,
            ordinal: slot.ordinal, state: state, endpoint: endpoint, restarts: restarts, startedAt: startedAt)
    }
}
