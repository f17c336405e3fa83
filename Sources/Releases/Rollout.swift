import Models
import Store

/// One rollout as the service carries it out: the state machine's surroundings.
struct Rollout: Sendable {
    enum Kind: Sendable, Equatable {
        /// The release takes the live one's place.
        case whole
        /// It gets some of the viewers; not new: it had others before.
        case canary(percent: Int, isNew: Bool)
        /// The canary takes the live release's place.
        case promotion
    }

    var kind: Kind
    var release: ReleaseRecord
    var releaseID: ReleaseID
    var change: Change
    /// The same image and config as before; only what its replicas are given differs, so there is nothing to prepare.
    var isOfResources: Bool
    /// The live release before; nil at the first.
    var previous: ReleaseRows?
    /// Replicas of each process of the live release before.
    var before: [String: Int]
    /// Runs once before; nil where the app has no `release` process, and where it ran already.
    var command: ReplicaSet?
    var sets: [ReplicaSet]
    /// Replicas of the release that are there already.
    var existing: [ReplicaStatus]
    var waves: Waves
    let started = ContinuousClock.now

    init(
        kind: Kind, release: ReleaseRecord, change: Change, rows: ReleaseRows, state: DesiredState, replicas: [ReplicaStatus],
        environment: ProcessEnvironment
    ) throws(MoorError) {
        let id = rows.releaseID
        self.kind = kind
        self.release = release
        self.change = change
        releaseID = id
        previous = state.live
        // A change of config takes the live release's wishes over.
        let live = state.live?.release
        isOfResources = release.cause == .config && release.imageID == live?.imageID && release.wishes != live?.wishes
        before = state.live?.counts(state.scales) ?? [:]
        var canary: CanaryRecord?
        if case .canary(let percent, _) = kind {
            canary = CanaryRecord(appID: change.appID, releaseID: id, percent: percent, startedAt: nil)
        }
        // One that is there already wants other replicas than the new canary has.
        var state = state
        state.wanted[id] = nil
        sets = try rows.replicaSets(of: state, environment: environment, canary: canary)
        switch kind {
        case _ where isOfResources: command = nil
        case .whole, .canary(_, isNew: true): command = try rows.releaseCommand(app: change.app, environment: environment)
        case .canary(_, isNew: false), .promotion: command = nil
        }
        existing = replicas.filter { $0.releaseID == id }
        let bounds = sets.map { set in
            let strategy = canary == nil ? set.process.rollout ?? RolloutStrategy() : RolloutStrategy()
            let (surge, unavailable) = strategy.bounds(of: set.count)
            return (
                set.process.name,
                Waves.Bounds(wanted: set.count, surge: surge, unavailable: unavailable, recreates: strategy.kind == .recreate)
            )
        }
        let keys = { (replicas: [ReplicaStatus], counts: [String: Int]) in
            Set(
                replicas.filter { $0.ordinal <= counts[$0.process] ?? 0 }
                    .map { Readiness.Expected(process: $0.process, ordinal: $0.ordinal) })
        }
        let counts = Dictionary(sets.map { ($0.process.name, $0.count) }) { $1 }
        waves = Waves(
            bounds: Dictionary(bounds) { $1 }, comingID: id, goingID: state.live?.releaseID, coming: keys(existing, counts),
            going: keys(replicas.filter { $0.releaseID == state.live?.releaseID }, before))
    }

    var elapsed: Duration { .now - started }
    var name: String { "v\(release.number)" }

    /// Whether the replicas come and go one after the other, which the orchestrator is told one by one.
    var hasWaves: Bool { waves.bounds.values.contains { !$0.isAtOnce } }
    /// Whether both releases answer requests meanwhile.
    var isMixed: Bool { waves.bounds["web"]?.isAtOnce == false }
    /// What failed is a canary still.
    var staysCanary: Bool {
        switch kind {
        case .whole, .canary(_, isNew: true): false
        case .canary(_, isNew: false), .promotion: true
        }
    }
}

/// A rollout that is under way, for those who ask.
struct RolloutUnderWay: Sendable {
    var number: Int
    var releaseID: ReleaseID
    var previousID: ReleaseID?
    /// Seconds since 1970.
    var since: Double
    /// Replicas wanted of each, by process.
    var before: [String: Int]
    var after: [String: Int]
    var isMixed: Bool
    var isReverting = false
}
