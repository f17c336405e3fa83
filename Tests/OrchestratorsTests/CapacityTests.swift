import Models
import Testing

@testable import Orchestrators

private let gib: Int64 = 1 << 30

private func demand(_ id: Int64, app: Int64 = 1, release: Int64 = 1, cpu: Int = 0, gib count: Int64 = 0, gpus: Int = 0) -> Capacity.Demand {
    .init(
        id: ReplicaID(id), appID: AppID(app), releaseID: ReleaseID(release),
        room: Room(cpuMillis: cpu, memoryBytes: count * gib, gpus: gpus))
}

struct CapacityTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var held: [Capacity.Demand] = []
        var asked: [Capacity.Demand]
        var admitted: [ReplicaID]
        /// Of the last that was asked.
        var reason: String?
    }

    static let total = Room(cpuMillis: 4000, memoryBytes: 8 * gib, gpus: 1)
    static let cases: [Case] = [
        Case(testDescription: "what fits is let in, the oldest first", asked: [demand(2, gib: 3), demand(1, gib: 3)], admitted: [1, 2]),
        Case(
            testDescription: "what does not fit waits, with what it needs and what there is", held: [demand(1, gib: 6)],
            asked: [demand(2, gib: 4)], admitted: [], reason: "needs 4 GiB of memory, 2 GiB free"),
        Case(
            testDescription: "cores count too", held: [demand(1, cpu: 3500)], asked: [demand(2, cpu: 1000)], admitted: [],
            reason: "needs 1 core, 0.5 cores free"),
        Case(
            testDescription: "more than the machine has is said to be that", asked: [demand(1, gib: 9)], admitted: [],
            reason: "needs 9 GiB of memory; this machine has 8 GiB for apps"),
        Case(
            testDescription: "what can never fit holds up nobody", asked: [demand(1, gib: 9), demand(2, gib: 8)], admitted: [2]),
        Case(
            testDescription: "a small one passes a big one that waits", held: [demand(1, gib: 6)],
            asked: [demand(2, app: 2, gib: 4), demand(3, app: 3, gib: 2)], admitted: [3]),
        Case(
            testDescription: "but leaves it what it needs of what is not short", held: [demand(1, cpu: 1000, gib: 6)],
            asked: [demand(2, app: 2, cpu: 2000, gib: 4), demand(3, app: 3, cpu: 1500, gib: 1)], admitted: [],
            reason: "needs 1.5 cores; what is free is kept for a replica that has waited longer"),
        Case(
            testDescription: "a GPU is one app's", held: [demand(1, gpus: 1)], asked: [demand(2, app: 2, gpus: 1)], admitted: [],
            reason: "needs 1 GPU, none is free"),
        Case(
            testDescription: "whose next release takes it over", held: [demand(1, gpus: 1)], asked: [demand(2, release: 2, gpus: 1)],
            admitted: [2]),
        Case(
            testDescription: "more GPUs than there are", asked: [demand(1, gpus: 2)], admitted: [],
            reason: "needs 2 GPUs; this machine has 1 for apps"),
        Case(
            testDescription: "what runs already keeps its place, whether or not it fits", held: [demand(1, gib: 9)],
            asked: [demand(2, gib: 1)], admitted: [], reason: "needs 1 GiB of memory, 0 B free"),
    ]

    @Test(arguments: cases)
    func `who is let in`(_ example: Case) {
        var capacity = Capacity()
        for demand in example.held { capacity.hold(demand) }
        for demand in example.asked { capacity.wait(demand) }
        #expect(capacity.admit(total: Self.total) == example.admitted)
        if let last = example.asked.last, !example.admitted.contains(last.id) {
            let reason = capacity.reason(for: last, total: Self.total)
            #expect(example.reason == nil || reason == example.reason)
        }
    }

    @Test func `what comes free while one waits is kept for it, and an app may still replace its own`() {
        var capacity = Capacity()
        for id in 1...7 { capacity.hold(demand(Int64(id), app: Int64(id), gib: 1)) }
        capacity.wait(demand(10, app: 10, gib: 3))
        #expect(capacity.admit(total: Self.total) == [])
        // One GiB was free then: an app rolls out within it, again and again.
        for id in 20..<25 {
            capacity.wait(demand(Int64(id), app: 1, release: Int64(id), gib: 1))
            #expect(capacity.admit(total: Self.total) == [ReplicaID(Int64(id))])
            let old = id == 20 ? 1 : Int64(id - 1)
            capacity.keep(present: Set(capacity.holders.keys).subtracting([ReplicaID(old)]), waiting: [10])
        }
        capacity.keep(present: Set(capacity.holders.keys).subtracting([2]), waiting: [10])
        capacity.wait(demand(30, app: 30, gib: 2))
        #expect(capacity.admit(total: Self.total) == [])
        let kept = "needs 2 GiB of memory; what is free is kept for a replica that has waited longer"
        #expect(capacity.reason(for: demand(30, app: 30, gib: 2), total: Self.total) == kept)
        capacity.keep(present: Set(capacity.holders.keys).subtracting([3]), waiting: [10, 30])
        #expect(capacity.admit(total: Self.total) == [10])
    }

    @Test func `a replica counts with its caps, and with less where nobody gave it any`() {
        #expect(ProcessSpec(name: "web", command: "x").demand == Room(cpuMillis: 100, memoryBytes: 256 << 20))
        let said = ProcessSpec(name: "web", command: "x", declared: [.cpu, .memory])
        #expect(said.demand == Room(cpuMillis: 1000, memoryBytes: gib))
        // A release from before it was kept who asked for what.
        let old = ProcessSpec(name: "web", command: "x", resources: Resources(cpuMillis: 2000, memoryBytes: 4 * gib))
        #expect(old.demand == Room(cpuMillis: 2000, memoryBytes: 4 * gib))
        let optional = ProcessSpec(name: "web", command: "x", resources: Resources(gpus: 1, areGPUsOptional: true))
        #expect(optional.demand.gpus == 0)
    }
}

/// Replicas of many apps that come, are let in and go, in any order.
private struct Crowd {
    static let total = Room(cpuMillis: 12, memoryBytes: 12)
    var random: Seeded
    var capacity = Capacity()
    var nextID: Int64 = 1

    mutating func arrive(app: AppID? = nil) {
        let app = app ?? AppID(Int64.random(in: 1...5, using: &random))
        // Some are larger than the machine.
        let room = Room(
            cpuMillis: Int.random(in: 0...6, using: &random), memoryBytes: Int64([1, 1, 2, 3, 5, 9, 12, 13].randomElement(using: &random)!))
        capacity.wait(.init(id: ReplicaID(nextID), appID: app, releaseID: ReleaseID(nextID), room: room))
        nextID += 1
    }

    mutating func leave(_ id: ReplicaID?) {
        guard let id else { return }
        capacity.keep(
            present: Set(capacity.holders.keys).union(capacity.queue.keys).subtracting([id]),
            waiting: Set(capacity.queue.keys).subtracting([id]))
    }

    mutating func admit() {
        let before = Set(capacity.holders.keys)
        let admitted = capacity.admit(total: Self.total)
        #expect(before.isDisjoint(with: admitted), "one is let in twice")
        #expect(Set(capacity.holders.keys) == before.union(admitted))
        #expect(capacity.used().lacks(in: Self.total).isEmpty, "more is promised than there is")
    }

    var someHolder: ReplicaID? {
        mutating get { capacity.holders.keys.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &random) }
    }

    mutating func step() {
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: arrive()
        case 2, 3: leave(someHolder)
        case 4: leave(capacity.queue.keys.min { $0.rawValue < $1.rawValue })
        default: break
        }
        admit()
    }
}

struct CapacityHistoryTests {
    @Test(arguments: UInt64(0)..<200)
    func `never is more promised than there is, and whatever fits alone gets in`(seed: UInt64) {
        var crowd = Crowd(random: Seeded(state: seed))
        for _ in 0..<300 { crowd.step() }
        for _ in 0..<1000 where !crowd.capacity.holders.isEmpty || !crowd.capacity.queue.isEmpty {
            crowd.leave(crowd.someHolder)
            crowd.admit()
        }
        let left = crowd.capacity.queue.values
        #expect(left.allSatisfy { !$0.room.lacks(in: Crowd.total).isEmpty })
    }

    @Test(arguments: UInt64(0)..<200)
    func `nobody is starved: once what was there before it is gone, it is in, whatever new apps came`(seed: UInt64) {
        var crowd = Crowd(random: Seeded(state: seed))
        for _ in 0..<100 { crowd.step() }
        let waiting = crowd.capacity.queue.values.filter { $0.room.lacks(in: Crowd.total).isEmpty }
        guard let oldest = waiting.min(by: { $0.id.rawValue < $1.id.rawValue }) else { return }
        // Those of apps that are there may take the place of the app's own, which gives nothing back.
        for id in crowd.capacity.queue.keys where id != oldest.id { crowd.leave(id) }
        let before = Array(crowd.capacity.holders.keys)
        for id in before {
            for _ in 0..<3 {
                crowd.arrive(app: AppID(1000 + crowd.nextID))
                crowd.admit()
            }
            crowd.leave(id)
            crowd.admit()
        }
        #expect(crowd.capacity.holds(oldest.id), "\(oldest) waits behind \(crowd.capacity.holders.values)")
    }
}

/// Over a real engine.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RoomTests {
    @Test func `what does not fit waits without a container, and one that fills its disk starts anew with an empty one`() async throws {
        try await withFixture { fixture in
            try await fixture.withOrchestrator({
                ($0.room, $0.diskInterval) = (Room(cpuMillis: 4000, memoryBytes: 160 << 20), .milliseconds(300))
            }) { orchestrator in
                let first = try await fixture.workload("first", worker("sleep 1000"), count: 2)
                try await orchestrator.apply(first)
                try await orchestrator.wait(for: first.appID) { $0.filter { $0.state == .ready }.count == 2 }
                let big = try await fixture.workload("big", worker("sleep 1000"))
                try await orchestrator.apply(big)
                let waiting = ReplicaStatus.State.pending(reason: "needs 64 MiB of memory, 32 MiB free")
                try await orchestrator.wait(for: big.appID) { $0.first?.state == waiting }

                var process = worker(
                    "test ! -e /tmp/full || exit 9; sleep 2; ulimit -f 65536; cat /dev/zero > /tmp/full; sleep 1000", memory: 32 << 20)
                process.resources.diskBytes = 8 << 20
                let small = try await fixture.workload("small", process)
                try await orchestrator.apply(small)
                try await orchestrator.wait(for: small.appID) { $0.first?.state == .ready }
                #expect(try await fixture.containers().count == 3)
                try await orchestrator.wait(for: small.appID) {
                    if case .backingOff(137, let reason, _) = $0.first?.state {
                        reason.hasPrefix("wrote ") && reason.hasSuffix("iB to its disk; its cap is 8 MiB")
                    } else {
                        false
                    }
                }
                try await orchestrator.wait(for: small.appID) { $0.first?.state == .ready && $0[0].restarts == 1 }
                let stillWaiting = ReplicaStatus.State.pending(reason: "needs 64 MiB of memory, 0 B free")
                #expect(await orchestrator.replicas(of: big.appID).first?.state == stillWaiting)

                // One that ends and comes back keeps its place; one that is taken away makes room.
                var fewer = first
                fewer.sets[0].count = 1
                try await orchestrator.apply(fewer)
                try await orchestrator.wait(for: big.appID) { $0.first?.state == .ready }
            }
        }
    }
}
