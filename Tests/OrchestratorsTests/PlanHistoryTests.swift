import Engine
import Models
import Testing

@testable import Orchestrators

/// A small repeatable generator (SplitMix64), so that a failing history can be played again by its seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A world of rows and containers that does what plans say, with everything that can go wrong in between.
private struct World {
    var now = ContinuousClock.now
    var random: Seeded
    var rows: [ReplicaID: Replica] = [:]
    /// Container to its replica; what the engine has.
    var containers: [String: (replica: ReplicaID, runs: Bool)] = [:]
    var desired: [Slot: String] = [:]
    var nextID: Int64 = 1
    /// Work under way, finished in any order.
    var launching: Set<ReplicaID> = []
    var burying: Set<ReplicaID> = []
    var ending: Set<ReplicaID> = []

    mutating func plan() {
        let plan = Plan(desired: desired, replicas: rows.values, now: now)
        for action in plan.actions {
            switch action {
            case .insert(let slot):
                let id = ReplicaID(nextID)
                nextID += 1
                rows[id] = Replica(
                    id: id, slot: slot, releaseNumber: 1, process: ProcessSpec(name: slot.process, command: "x", health: HealthCheck()),
                    digest: desired[slot]!, phase: .waiting(until: now, failure: nil))
            case .launch(let id):
                #expect(!launching.contains(id), "a replica is launched while it is being launched")
                rows[id]?.phase = .launching
                launching.insert(id)
            case .end(let id):
                if rows[id]?.end() == true { ending.insert(id) }
            }
        }
    }

    mutating func finishLaunch(_ id: ReplicaID, succeeds: Bool) {
        let time = now
        launching.remove(id)
        let container = "c\(nextID)"
        nextID += 1
        if succeeds {
            let twins = containers.values.filter { $0.replica == id && $0.runs }
            #expect(twins.isEmpty, "a replica runs twice")
            containers[container] = (id, true)
            rows[id]?.started(containerID: container, address: "10.0.0.2", at: time, unixTime: 0)
        } else {
            rows[id]?.failed(Failure(exitCode: nil, reason: "x"), at: time, backoff: Backoff())
        }
        if case .ending = rows[id]?.phase {
            rows[id]?.phase = .ending(containerID: succeeds ? container : nil)
            ending.insert(id)
        }
    }

    mutating func finishBurial(_ id: ReplicaID) {
        let time = now
        burying.remove(id)
        guard let row = rows[id] else { return }
        if let container = row.containerID { containers[container] = nil }
        rows[id]?.failed(Failure(exitCode: 1, reason: "x"), at: time, backoff: Backoff())
        if case .ending = rows[id]?.phase { ending.insert(id) }
    }

    mutating func finishEnd(_ id: ReplicaID) {
        ending.remove(id)
        if let container = rows[id]?.containerID { containers[container] = nil }
        rows[id] = nil
    }

    mutating func crash(_ container: String) {
        guard let (id, runs) = containers[container], runs else { return }
        let time = now
        containers[container]?.runs = false
        if rows[id]?.ended(containerID: container, at: time, backoff: Backoff()) == true { burying.insert(id) }
    }

    mutating func answer() {
        for (id, row) in rows {
            guard case .running(let container, let address, let since, var health) = row.phase else { continue }
            _ = health.observed(.answered(status: 200), at: now)
            rows[id]?.phase = .running(containerID: container, address: address, since: since, health: health)
        }
    }

    mutating func step() {
        now += .milliseconds(Int.random(in: 0...3000, using: &random))
        switch Int.random(in: 0..<10, using: &random) {
        case 0: desired = Self.workload(&random)
        case 1: if let container = containers.keys.sorted().randomElement(using: &random) { crash(container) }
        case 2, 3, 4:
            let ok = Int.random(in: 0..<4, using: &random) > 0
            if let id = launching.sorted(by: <).randomElement(using: &random) { finishLaunch(id, succeeds: ok) }
        case 5, 6: if let id = burying.sorted(by: <).randomElement(using: &random) { finishBurial(id) }
        case 7, 8: if let id = ending.sorted(by: <).randomElement(using: &random) { finishEnd(id) }
        default: answer()
        }
        plan()
    }

    static func workload(_ random: inout Seeded) -> [Slot: String] {
        var desired: [Slot: String] = [:]
        for release in 1...2 where Bool.random(using: &random) {
            let digest = Bool.random(using: &random) ? "a" : "b"
            for ordinal in 0..<Int.random(in: 0...4, using: &random) {
                desired[Slot(releaseID: .init(Int64(release)), process: "web", ordinal: ordinal + 1)] = digest
            }
        }
        return desired
    }

    /// Nothing goes wrong any more.
    mutating func settle() {
        for _ in 0..<200 {
            now += .seconds(400)
            for id in launching { finishLaunch(id, succeeds: true) }
            for id in burying { finishBurial(id) }
            for id in ending { finishEnd(id) }
            answer()
            plan()
        }
    }
}

private func < (a: ReplicaID, b: ReplicaID) -> Bool { a.rawValue < b.rawValue }

struct PlanHistoryTests {
    @Test(arguments: UInt64(0)..<200)
    func `whatever happened, it comes to what is desired and never starts a replica twice`(seed: UInt64) {
        var world = World(random: Seeded(state: seed))
        for _ in 0..<300 { world.step() }
        world.settle()
        let running = Dictionary(grouping: world.rows.values, by: \.slot).mapValues { $0.map(\.digest) }
        #expect(running == world.desired.mapValues { [$0] })
        let isWell = world.rows.values.allSatisfy { $0.isReady }
        #expect(isWell)
        #expect(Set(world.containers.values.map(\.replica)) == Set(world.rows.keys))
        #expect(world.containers.count == world.rows.count)
        #expect(Plan(desired: world.desired, replicas: world.rows.values, now: world.now).actions.isEmpty)
    }
}
