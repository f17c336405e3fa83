import Models
import TestSupport
import Testing

@testable import Releases

/// Rollouts in waves against a world of replicas that start, fall ill and end as they please.
@Suite struct WavesTests {
    typealias Machine = RolloutStateMachine
    typealias Key = Readiness.Expected

    static let old = ReleaseID(1)
    static let new = ReleaseID(2)

    @Test(arguments: [
        // Kubernetes' own examples: 25 % of each.
        (RolloutStrategy(maxSurge: .percent(25), maxUnavailable: .percent(25)), 4, 1, 1),
        (.init(maxSurge: .percent(25), maxUnavailable: .percent(25)), 10, 3, 2),
        (.init(maxSurge: .percent(25), maxUnavailable: .count(0)), 1, 1, 0),
        (.init(maxSurge: .percent(1), maxUnavailable: .percent(99)), 3, 1, 2),
        (.init(maxSurge: .count(0), maxUnavailable: .percent(10)), 3, 0, 1),
        (.init(maxSurge: .count(0), maxUnavailable: .count(9)), 3, 0, 3),
        (.init(), 5, 5, 0),
    ])
    func `shares are rounded as Kubernetes rounds them`(_ strategy: RolloutStrategy, _ wanted: Int, _ surge: Int, _ unavailable: Int) {
        #expect(strategy.bounds(of: wanted) == (surge, unavailable))
    }

    @Test func `one of each at a time: a new one comes, an old one goes`() {
        var world = World(wanted: 3, before: 3, .init(maxSurge: .count(1)))
        #expect(world.run() == ["+1", "-3", "+2", "-2", "+3", "live"])
    }

    @Test func `without surge an old one goes first`() {
        var world = World(wanted: 2, before: 2, .init(maxSurge: .count(0), maxUnavailable: .count(1)))
        #expect(world.run() == ["-2", "+1", "-1", "+2", "live"])
    }

    @Test func `recreate ends all before it starts any`() {
        var world = World(wanted: 2, before: 3, .init(kind: .recreate))
        #expect(world.run() == ["-1 -2 -3", "+1 +2", "live"])
    }

    @Test func `what is not ready goes first, also where another has a higher number`() {
        var world = World(wanted: 2, before: 2, .init(maxSurge: .count(1)))
        world.replicas[.init(release: Self.old, key: .init(process: "web", ordinal: 1))] = .init(isReady: false, isIll: true)
        #expect(world.run() == ["+1", "-1", "+2", "live"])
    }

    @Test func `after a failure the old ones come back one by one before the last new one goes`() {
        var world = World(wanted: 3, before: 3, .init(maxSurge: .count(1)))
        world.failing = 3
        #expect(world.run() == ["+1", "-3", "+2", "-2", "+3", "failed", "-3", "+2", "-2", "+3", "old alone"])
        #expect(world.serving(Self.old) == 3)
    }

    @Test func `paused nothing moves, and an undo meanwhile brings all back`() {
        var world = World(wanted: 4, before: 4, .init(maxSurge: .count(1)))
        world.steps(2)
        world.isPaused = true
        let before = world.replicas.count
        for _ in 0..<50 { world.look() }
        #expect(world.replicas.count == before && world.machine.state == .waiting)
        world.tell(.undoRequested(MoorError(.cancelled, "undone"), leaving: []))
        _ = world.run()
        #expect(world.ends == ["failure"] && world.serving(Self.old) == 4 && world.replicas.count == 4)
    }

    @Test(arguments: 0..<3000)
    func `no history breaks what Kubernetes promises of a rollout`(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        let wanted = Int.random(in: 1...7, using: &random)
        let before = Int.random(in: 0...3, using: &random) == 0 ? Int.random(in: 0...7, using: &random) : wanted
        let amounts: [RolloutStrategy.Amount] = [.count(0), .count(1), .count(2), .percent(25), .percent(50), .percent(100)]
        var strategy = RolloutStrategy(
            kind: Int.random(in: 0..<8, using: &random) == 0 ? .recreate : .rolling, maxSurge: amounts.randomElement(using: &random)!,
            maxUnavailable: amounts.randomElement(using: &random)!)
        if strategy.maxSurge.isZero, strategy.maxUnavailable.isZero { strategy.maxSurge = .count(1) }
        var world = World(wanted: wanted, before: before, strategy)
        world.isChecked = true
        // What goes wrong in this history: nothing, a new replica that never comes up, an undo, a pause.
        let fate = Int.random(in: 0..<6, using: &random)
        if fate == 1 { world.failing = Int.random(in: 1...wanted, using: &random) }
        for step in 0..<400 where world.ends.isEmpty {
            world.disturb(&random, flapping: fate == 2 && step < 200)
            if fate == 3, step == 20 { world.tell(.undoRequested(MoorError(.cancelled, "undone"), leaving: world.leaving(Self.old))) }
            if fate == 4 { world.isPaused = (10..<40).contains(step) }
            world.look()
        }
        switch world.ends.first {
        case "success": #expect(world.serving(Self.new) == wanted)
        case "failure":
            world.settle()
            #expect(world.serving(Self.old) == before && world.serving(Self.new) == 0, "not whole: \(world.journal)")
        default: Issue.record("it did not come to an end: \(world.journal)")
        }
        if fate == 0 || fate == 4 { #expect(world.ends == ["success"], "\(world.journal)") }
        if fate == 1 { #expect(world.ends == ["failure"], "\(world.journal)") }
    }
}
