import Models
import TestSupport
import Testing

@testable import Releases

/// Replicas of two releases of one `web` process, and a rollout's machine that is told of them.
struct World {
    struct Slot: Hashable {
        var release: ReleaseID
        var key: Readiness.Expected
    }

    struct Replica {
        var isReady: Bool
        /// Out of the traffic, still at work.
        var isLeaving = false
        /// Does not come up by itself.
        var isIll = false
    }

    let wanted: Int
    let before: Int
    let bounds: Waves.Bounds
    var machine: RolloutStateMachine
    var replicas: [Slot: Replica] = [:]
    /// The ordinal of the new release that never comes up.
    var failing: Int?
    var isPaused = false
    /// Whether the promises are checked, with replicas that move as the test moves them; else all come up and end at once.
    var isChecked = false
    var journal: [String] = []
    var ends: [String] = []
    private var isTurned = false
    private var elapsed = Duration.zero

    init(wanted: Int, before: Int, _ strategy: RolloutStrategy) {
        (self.wanted, self.before) = (wanted, before)
        let (surge, unavailable) = strategy.bounds(of: wanted)
        bounds = Waves.Bounds(wanted: wanted, surge: surge, unavailable: unavailable, recreates: strategy.kind == .recreate)
        let going = Waves.keys("web", before)
        for key in going { replicas[Slot(release: WavesTests.old, key: key)] = Replica(isReady: true) }
        let waves = Waves(bounds: ["web": bounds], comingID: WavesTests.new, goingID: WavesTests.old, going: going)
        machine = RolloutStateMachine(waves: waves, before: ["web": before], hasReleaseCommand: false, patience: .seconds(60))
        for key in waves.coming { replicas[Slot(release: WavesTests.new, key: key)] = Replica(isReady: false) }
        tell(.began)
        tell(.applied)
    }

    func serving(_ release: ReleaseID) -> Int { replicas.count { $0.key.release == release && $0.value.isReady && !$0.value.isLeaving } }

    func leaving(_ release: ReleaseID) -> Set<Readiness.Expected> {
        Set(replicas.filter { $0.key.release == release && $0.value.isLeaving }.map(\.key.key))
    }

    var statuses: [ReplicaStatus] {
        replicas.map { slot, replica in
            let isBad = slot.release == WavesTests.new && slot.key.ordinal == failing
            return ReplicaStatus(
                replicaID: ReplicaID(slot.release.rawValue * 100 + Int64(slot.key.ordinal)), appID: AppID(1), releaseID: slot.release,
                releaseNumber: 1, process: "web", ordinal: slot.key.ordinal,
                state: isBad ? .unhealthy(reason: "never well") : replica.isReady ? .ready : .starting, endpoint: nil, restarts: 0,
                startedAt: nil)
        }
    }

    mutating func look() {
        let going = machine.waves.goingID ?? WavesTests.old
        tell(.observed(statuses, leaving: leaving(going), isPaused: isPaused))
    }

    mutating func tell(_ event: RolloutStateMachine.Event) {
        elapsed += .milliseconds(10)
        var actions = machine.handle(event, elapsed: elapsed)
        while !actions.isEmpty {
            switch actions.removeFirst() {
            case .applyBoth, .watch, .announce, .runReleaseCommand: break
            case .recordFailure: journal.append("failed")
            case .step(let step):
                perform(step)
                actions += machine.handle(.stepped, elapsed: elapsed)
            case .commit:
                if isChecked { #expect(serving(WavesTests.new) == wanted, "live before it is whole") }
                actions += machine.handle(.committed, elapsed: elapsed)
            case .switchTraffic: actions += machine.handle(.switched, elapsed: elapsed)
            case .retireOld: replicas = replicas.filter { $0.key.release == WavesTests.new }
            case .succeed:
                journal.append("live")
                ends.append("success")
            case .applyOldAlone:
                journal.append("old alone")
                replicas = replicas.filter { $0.key.release == WavesTests.old }
                for key in Waves.keys("web", before) {
                    replicas[Slot(release: WavesTests.old, key: key), default: Replica(isReady: false)].isLeaving = false
                }
                actions += machine.handle(.reverted, elapsed: elapsed)
            case .fail: ends.append("failure")
            }
        }
    }

    private mutating func perform(_ step: Waves.Step) {
        let (coming, going) = (machine.waves.comingID, machine.waves.goingID ?? WavesTests.old)
        let wanted = coming == WavesTests.new ? self.wanted : before
        let ready = serving(WavesTests.old) + serving(WavesTests.new)
        for key in machine.waves.coming {
            let slot = Slot(release: coming, key: key)
            if let known = replicas[slot], known.isLeaving { replicas[slot]?.isLeaving = false }
        }
        // Others are put back before they have ended.
        let fresh = step.ask.filter { replicas[Slot(release: coming, key: $0)] == nil }
        for key in fresh { replicas[Slot(release: coming, key: key)] = Replica(isReady: false) }
        for key in step.takeOut { replicas[Slot(release: going, key: key)]?.isLeaving = true }
        let marks = step.takeOut.sorted().map { "-\($0.ordinal)" } + step.ask.sorted().map { "+\($0.ordinal)" }
        journal.append(marks.joined(separator: " "))
        guard isChecked else { return }
        let unavailable = bounds.recreates ? wanted : bounds.unavailable
        let surge = bounds.recreates ? 0 : bounds.surge
        if !fresh.isEmpty {
            #expect(replicas.count <= wanted + surge, "too many after \(journal)")
            if bounds.recreates { #expect(!replicas.keys.contains { $0.release == going }, "beside the old: \(journal)") }
        }
        if !step.takeOut.isEmpty {
            let left = serving(WavesTests.old) + serving(WavesTests.new)
            // One that was not ready is no loss.
            #expect(left >= wanted - unavailable || left == ready, "too few after \(journal): \(left)")
        }
    }

    /// Anything a real world may do between two looks.
    mutating func disturb(_ random: inout SplitMix, flapping: Bool) {
        for slot in replicas.keys.sorted(by: { ($0.release.rawValue, $0.key) < ($1.release.rawValue, $1.key) }) {
            let chance = Int.random(in: 0..<10, using: &random)
            if replicas[slot]?.isLeaving == true {
                if chance < 4 { replicas[slot] = nil }
            } else if replicas[slot]?.isReady == false {
                if chance < 5 { replicas[slot]?.isReady = true }
            } else if flapping, slot.release == WavesTests.old, chance == 0 {
                replicas[slot]?.isReady = false
            }
        }
    }

    /// Everything that is there comes up, and what leaves ends.
    mutating func settle() {
        replicas = replicas.filter { !$0.value.isLeaving }
        for slot in replicas.keys { replicas[slot]?.isReady = true }
    }

    /// To the end, with a world that does at once what it is asked.
    mutating func run() -> [String] {
        for _ in 0..<100 where ends.isEmpty {
            look()
            rest()
        }
        return journal
    }

    mutating func steps(_ count: Int) {
        while journal.count < count {
            look()
            rest()
        }
    }

    private mutating func rest() {
        replicas = replicas.filter { !$0.value.isLeaving }
        for slot in replicas.keys where replicas[slot]?.isIll == false { replicas[slot]?.isReady = true }
    }
}
