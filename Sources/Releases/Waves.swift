import Models

/// How the replicas of one release take the place of another's, wave by wave. Pure: what is ready goes in, what to do next
/// comes out. Turned around it brings the old release back by the same rules.
///
/// As Kubernetes' Deployments have it: never more replicas than wanted and surge, those that still finish their requests
/// counted; nothing is taken from the traffic where fewer than wanted less unavailable would be ready.
struct Waves: Sendable, Equatable {
    typealias Key = Readiness.Expected

    /// Of one process, in replicas.
    struct Bounds: Sendable, Equatable {
        var wanted: Int
        var surge: Int
        var unavailable: Int
        /// The going ones end before the coming ones start.
        var recreates = false

        /// All start at once, and nothing goes before the whole release has come.
        var isAtOnce: Bool { !recreates && surge >= wanted && unavailable == 0 }
    }

    struct Step: Sendable, Equatable {
        /// To be started.
        var ask: Set<Key> = []
        /// To be taken out of the traffic, drained and ended.
        var takeOut: Set<Key> = []

        var isEmpty: Bool { ask.isEmpty && takeOut.isEmpty }
    }

    /// By process of the release that comes.
    let bounds: [String: Bounds]
    /// It brings an old release back: nothing then waits for the whole.
    let isTurned: Bool
    private(set) var comingID: ReleaseID
    /// nil where there was no release before.
    private(set) var goingID: ReleaseID?
    /// Replicas of the coming release that were asked for.
    private(set) var coming: Set<Key>
    /// Replicas of the going release that have not been taken out.
    private(set) var going: Set<Key>

    /// - Parameters:
    ///   - coming: replicas of the release that are there already.
    ///   - going: replicas of the release before that are there.
    init(
        bounds: [String: Bounds], comingID: ReleaseID, goingID: ReleaseID?, coming: Set<Key> = [], going: Set<Key> = [],
        isTurned: Bool = false
    ) {
        self.bounds = bounds
        self.isTurned = isTurned
        self.comingID = comingID
        self.goingID = goingID
        self.going = going
        self.coming = coming
        for (process, bounds) in bounds where !isTurned && bounds.isAtOnce { self.coming.formUnion(Self.keys(process, bounds.wanted)) }
    }

    /// Asks for nothing more than what is there.
    mutating func keep(_ present: Set<Key>) { coming.formIntersection(present) }

    static func keys(_ process: String, _ count: Int) -> Set<Key> {
        Set((0..<count).map { Key(process: process, ordinal: $0 + 1) })
    }

    /// Every replica that has to be ready in the end.
    var all: Set<Key> { bounds.reduce(into: []) { $0.formUnion(Self.keys($1.key, $1.value.wanted)) } }
    /// Nothing of the coming release is still to be asked for.
    var isWhole: Bool { all.isSubset(of: coming) }

    /// What may be done now; nothing where something is waited for.
    /// - Parameter leaving: replicas of the going release that were taken out and still count, since they take up their place.
    mutating func next(_ replicas: [ReplicaStatus], leaving: Set<Key>) -> Step {
        var step = Step()
        let ready = { (release: ReleaseID?) in
            Set(
                replicas.lazy.filter { $0.releaseID == release && $0.state == .ready }.map { Key(process: $0.process, ordinal: $0.ordinal) }
            )
        }
        let (comingReady, goingReady) = (ready(comingID), ready(goingID))
        for (process, bounds) in bounds where isTurned || !bounds.isAtOnce {
            let own = { (keys: Set<Key>) in keys.filter { $0.process == process } }
            let (asked, kept, left) = (own(coming), own(going), own(leaving))
            let missing = Self.keys(process, bounds.wanted).subtracting(asked).sorted()
            if bounds.recreates {
                step.takeOut.formUnion(kept)
                if kept.isEmpty, left.isEmpty { step.ask.formUnion(missing) }
                continue
            }
            let room = bounds.wanted + bounds.surge - asked.count - kept.count - left.count
            step.ask.formUnion(missing.prefix(max(0, room)))
            // What is not ready goes first, the youngest of them; never so much that too little would be left were the rest well.
            let sound = asked.intersection(comingReady).count
            let least = bounds.wanted - bounds.unavailable
            let order = kept.sorted { (goingReady.contains($0) ? 1 : 0, $1.ordinal) < (goingReady.contains($1) ? 1 : 0, $0.ordinal) }
            var (remaining, remainingReady) = (kept.count, kept.intersection(goingReady).count)
            for key in order {
                let isReady = goingReady.contains(key)
                guard remaining + sound > least, !isReady || remainingReady + sound > least else { break }
                remaining -= 1
                if isReady { remainingReady -= 1 }
                step.takeOut.insert(key)
            }
        }
        coming.formUnion(step.ask)
        going.subtract(step.takeOut)
        return step
    }

    /// Brings the going release back.
    /// - Parameters:
    ///   - wanted: how many replicas of each of its processes.
    ///   - leaving: taken out, but still there: they need only be put back.
    func turned(wanted: [String: Int], leaving: Set<Key>) -> Waves? {
        guard let goingID else { return nil }
        let bounds = wanted.map { process, count in
            // What never left cannot be missing now.
            let known = self.bounds[process] ?? Bounds(wanted: count, surge: count, unavailable: 0)
            return (process, Bounds(wanted: count, surge: known.surge, unavailable: known.unavailable, recreates: known.recreates))
        }
        return Waves(
            bounds: Dictionary(bounds) { $1 }, comingID: goingID, goingID: comingID, coming: going.union(leaving), going: coming,
            isTurned: true)
    }
}
