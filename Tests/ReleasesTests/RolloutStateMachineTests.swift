import Models
import TestSupport
import Testing

@testable import Releases

@Suite struct RolloutStateMachineTests {
    typealias Machine = RolloutStateMachine

    static let release = ReleaseID(7)
    static let web1 = Readiness.Expected(process: "web", ordinal: 1)
    static let web2 = Readiness.Expected(process: "web", ordinal: 2)
    static let error = MoorError(.unavailable, "the engine is down")

    static func machine(command: Bool = false, expected: Set<Readiness.Expected> = [web1, web2]) -> Machine {
        let bounds = expected.isEmpty ? [:] : ["web": Waves.Bounds(wanted: expected.count, surge: expected.count, unavailable: 0)]
        let waves = Waves(bounds: bounds, comingID: release, goingID: nil)
        return Machine(waves: waves, hasReleaseCommand: command, patience: .seconds(60))
    }

    static func replica(_ ordinal: Int, _ state: ReplicaStatus.State, restarts: Int = 0) -> ReplicaStatus {
        ReplicaStatus(
            replicaID: ReplicaID(Int64(ordinal)), appID: AppID(1), releaseID: release, releaseNumber: 2, process: "web", ordinal: ordinal,
            state: state, endpoint: nil, restarts: restarts, startedAt: nil)
    }

    /// A machine in each state, by the shortest way there.
    static func machines() -> [String: Machine] {
        var machines: [String: Machine] = [:]
        var machine = machine(command: true)
        func keep(_ name: String) { machines[name] = machine }
        keep("planned")
        _ = machine.handle(.began, elapsed: .zero)
        keep("preparing")
        _ = machine.handle(.prepared, elapsed: .zero)
        keep("applying")
        _ = machine.handle(.applied, elapsed: .zero)
        keep("waiting")
        var failing = machine
        _ = failing.handle(.stopRequested(error), elapsed: .zero)
        machines["reverting"] = failing
        _ = failing.handle(.reverted, elapsed: .zero)
        machines["failed"] = failing
        _ = machine.handle(.observed([replica(1, .ready), replica(2, .ready)]), elapsed: .zero)
        keep("committing")
        _ = machine.handle(.committed, elapsed: .zero)
        keep("switching")
        _ = machine.handle(.switched, elapsed: .zero)
        keep("live")
        return machines
    }

    static let events: [String: Machine.Event] = [
        "began": .began, "prepared": .prepared, "preparationFailed": .preparationFailed(error), "applied": .applied,
        "applyFailed": .applyFailed(error), "all ready": .observed([replica(1, .ready), replica(2, .ready)]),
        "one ready": .observed([replica(1, .ready), replica(2, .starting)]),
        "one dead": .observed([replica(1, .ready), replica(2, .unhealthy(reason: "x"))]), "committed": .committed,
        "commitFailed": .commitFailed(error), "switched": .switched, "reverted": .reverted, "stopRequested": .stopRequested(error),
        "undoRequested": .undoRequested(error),
        "stepped": .stepped, "paused": .observed([replica(1, .ready), replica(2, .ready)], isPaused: true),
    ]

    static let stopped = Machine.Failure.stopped(error)
    static let platform = Machine.Failure.platform(error)
    static let dead = Machine.Failure.replicas(.replica(ReplicaID(2), web2, reason: "x"))

    /// Every transition there is; a pair that is not named does nothing.
    static let transitions: [String: [String: [Machine.Action]]] = [
        "planned": [
            "began": [.runReleaseCommand], "stopRequested": [.recordFailure(stopped), .fail(stopped)],
            "undoRequested": [.recordFailure(stopped), .fail(stopped)],
        ],
        "preparing": [
            "prepared": [.applyBoth],
            "preparationFailed": [.recordFailure(.releaseCommand(error)), .fail(.releaseCommand(error))],
            "stopRequested": [.recordFailure(stopped), .fail(stopped)],
            "undoRequested": [.recordFailure(stopped), .fail(stopped)],
        ],
        "applying": [
            "applied": [.watch(until: .seconds(60))], "applyFailed": [.recordFailure(platform), .applyOldAlone],
            "stopRequested": [.recordFailure(stopped), .applyOldAlone], "undoRequested": [.recordFailure(stopped), .applyOldAlone],
        ],
        "waiting": [
            "all ready": [.announce(web1, after: .zero), .announce(web2, after: .zero), .commit],
            "one ready": [.announce(web1, after: .zero)],
            "paused": [.announce(web1, after: .zero), .announce(web2, after: .zero)],
            "undoRequested": [.recordFailure(stopped), .applyOldAlone],
            "one dead": [.announce(web1, after: .zero), .recordFailure(dead), .applyOldAlone],
            "stopRequested": [.recordFailure(stopped), .applyOldAlone],
        ],
        "committing": ["committed": [.switchTraffic(after: .zero)], "commitFailed": [.recordFailure(platform), .applyOldAlone]],
        "switching": ["switched": [.retireOld, .succeed]],
        "reverting": ["reverted": [.fail(stopped)]],
        "live": [:], "failed": [:],
    ]

    @Test(arguments: transitions.keys.sorted(), events.keys.sorted())
    func `each event does in each state what the table says`(state: String, event: String) throws {
        var machine = try #require(Self.machines()[state])
        let before = machine.state
        let expected = Self.transitions[state]?[event] ?? []
        #expect(machine.handle(try #require(Self.events[event]), elapsed: .zero) == expected)
        if expected.isEmpty { #expect(machine.state == before) }
    }

    @Test func `without a release process the replicas are asked for at once`() {
        var machine = Self.machine()
        #expect(machine.handle(.began, elapsed: .zero) == [.applyBoth])
    }

    @Test func `with nothing to wait for the release is committed at once`() {
        var machine = Self.machine(expected: [])
        _ = machine.handle(.began, elapsed: .zero)
        #expect(machine.handle(.applied, elapsed: .zero) == [.commit])
    }

    @Test func `the time to come up counts from when the replicas were applied`() {
        var machine = Self.machine(command: true)
        _ = machine.handle(.began, elapsed: .zero)
        _ = machine.handle(.prepared, elapsed: .seconds(100))
        #expect(machine.handle(.applied, elapsed: .seconds(101)) == [.watch(until: .seconds(161))])
        let one = [Self.replica(1, .ready), Self.replica(2, .starting)]
        #expect(machine.handle(.observed(one), elapsed: .seconds(160)) == [.announce(Self.web1, after: .seconds(60))])
        let late = Machine.Failure.replicas(.late([Self.web2], after: .seconds(161)))
        #expect(machine.handle(.observed(one), elapsed: .seconds(161)) == [.recordFailure(late), .applyOldAlone])
    }

    @Test func `replicas that were ready one after the other but never together are not enough`() {
        var machine = Self.machines()["waiting"]!
        _ = machine.handle(.observed([Self.replica(1, .ready), Self.replica(2, .starting)]), elapsed: .seconds(1))
        _ = machine.handle(.observed([Self.replica(1, .starting), Self.replica(2, .ready)]), elapsed: .seconds(2))
        #expect(machine.state == .waiting)
    }

    @Test func `restarts from before the rollout do not count against a replica`() {
        var readiness = Readiness(
            releaseID: Self.release, expected: [Self.web1], deadline: .seconds(60), existing: [Self.replica(1, .starting, restarts: 3)])
        #expect(readiness.observe([Self.replica(1, .starting, restarts: 3)], elapsed: .zero).outcome == .waiting)
        let failure = Readiness.Failure.replica(ReplicaID(1), Self.web1, reason: "it exited and was started again")
        #expect(readiness.observe([Self.replica(1, .ready, restarts: 4)], elapsed: .zero).outcome == .failed(failure))
    }

    /// The world around one rollout, as its actions leave it.
    private struct World {
        var desired = "old"
        var serving = "old"
        var live = "old"
        var allReadyAtLastLook = false
        var ends: [String] = []
        var failureRecorded = false

        mutating func perform(_ actions: [Machine.Action]) {
            for action in actions {
                switch action {
                case .applyBoth: desired = "both"
                case .applyOldAlone:
                    #expect(serving == "old", "the old release may not be all that runs once traffic has left it")
                    desired = "old"
                case .commit: #expect(allReadyAtLastLook, "committed before all were ready")
                case .switchTraffic:
                    #expect(live == "new" && desired == "both")
                    serving = "new"
                case .retireOld:
                    #expect(serving == "new", "retired while it still has the traffic")
                    desired = "new"
                case .recordFailure: failureRecorded = true
                case .succeed: ends.append("success")
                case .fail: ends.append("failure")
                case .step: Issue.record("a rollout of all at once has no waves")
                case .runReleaseCommand, .watch, .announce: break
                }
            }
        }
    }

    @Test(arguments: 0..<400)
    func `no history of events breaks what a rollout promises`(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var machine = Self.machine(command: Bool.random(using: &random))
        var world = World()
        var elapsed = Duration.zero
        for _ in 0..<60 {
            elapsed += .milliseconds(Int.random(in: 0...4000, using: &random))
            let event = Self.randomEvent(&random)
            switch event {
            case .observed(let replicas, _, _):
                world.allReadyAtLastLook = replicas.count == 2 && replicas.allSatisfy { $0.state == .ready && $0.restarts == 0 }
            case .committed where machine.state == .committing: world.live = "new"
            default: break
            }
            world.perform(machine.handle(event, elapsed: elapsed))
        }
        #expect(world.ends.count <= 1)
        switch world.ends.first {
        case "success": #expect(world.serving == "new" && world.desired == "new" && !world.failureRecorded)
        case "failure": #expect(world.serving == "old" && world.desired == "old" && world.live == "old" && world.failureRecorded)
        default: #expect(world.serving == "old" || machine.state == .switching)
        }
    }

    private static func randomEvent(_ random: inout SplitMix) -> Machine.Event {
        // Mostly what moves a rollout on, so that histories reach its end.
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<6: .began
        case 6..<11: .prepared
        case 11..<16: .applied
        case 16..<30: .observed((1...2).map { replica($0, randomState(&random)) })
        case 30..<32: .committed
        case 32..<34: .switched
        case 34..<36: .reverted
        case 36: .preparationFailed(error)
        case 37: .applyFailed(error)
        case 38: .commitFailed(error)
        default: Bool.random(using: &random) ? .stopRequested(error) : .undoRequested(error)
        }
    }

    private static func randomState(_ random: inout SplitMix) -> ReplicaStatus.State {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<13: .ready
        case 13..<18: .starting
        case 18: .unhealthy(reason: "x")
        default: .backingOff(exitCode: 1, reason: "x", retryAfterSeconds: 1)
        }
    }
}

/// SplitMix64: the same seed gives the same history.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
