import Models
import Testing

@testable import Autoscaling

struct AutoscalerTests {
    private let cap = Resources(cpuMillis: 1000, memoryBytes: 1 << 30)
    private let start = ContinuousClock.now

    private func seen(
        _ current: Int, cpu: [Int?] = [], memory: Int64? = nil, inFlight: Int = 0, rate: Double = 0, idle: Duration = .zero
    ) -> Autoscaler.Observation {
        .init(
            current: current, ready: cpu.map { .init(cpuMillis: $0, memoryBytes: memory) }, requestsInFlight: inFlight,
            requestsPerSecond: rate, idleFor: idle)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var policy: Autoscale
        var current: Int
        var cpu: [Int?] = []
        var memory: Int64?
        var inFlight = 0
        var rate = 0.0
        var wanted: Int
    }

    static let cpu = Autoscale(min: 1, max: 10, cpuPercent: 50)
    static let cases = [
        Case(testDescription: "on its target nothing changes", policy: cpu, current: 2, cpu: [500, 500], wanted: 2),
        Case(testDescription: "within a tenth nothing changes", policy: cpu, current: 2, cpu: [545, 545], wanted: 2),
        Case(testDescription: "twice the target, twice the replicas", policy: cpu, current: 2, cpu: [1000, 1000], wanted: 4),
        Case(testDescription: "rounded up", policy: cpu, current: 3, cpu: [600, 600, 600], wanted: 4),
        Case(testDescription: "at most a doubling or four more at once", policy: cpu, current: 1, cpu: [5000], wanted: 5),
        Case(testDescription: "never more than the most", policy: cpu, current: 8, cpu: Array(repeating: 1000, count: 8), wanted: 10),
        Case(testDescription: "one that starts counts as idle when more are asked for", policy: cpu, current: 2, cpu: [900], wanted: 2),
        Case(testDescription: "and does not hide a real need", policy: cpu, current: 2, cpu: [2000], wanted: 4),
        Case(testDescription: "without a sample nothing changes", policy: cpu, current: 3, cpu: [nil, nil, nil], wanted: 3),
        Case(
            testDescription: "memory", policy: Autoscale(min: 1, max: 10, memoryPercent: 50), current: 2, cpu: [nil, nil], memory: 1 << 30,
            wanted: 4),
        Case(
            testDescription: "requests in flight", policy: Autoscale(min: 1, max: 10, inFlight: 10), current: 2, inFlight: 45, wanted: 5),
        Case(
            testDescription: "requests a second", policy: Autoscale(min: 1, max: 10, requestsPerSecond: 20), current: 3, rate: 119,
            wanted: 6),
        Case(
            testDescription: "the metric that asks for most wins",
            policy: Autoscale(min: 1, max: 10, cpuPercent: 50, requestsPerSecond: 10), current: 2, cpu: [100, 100], rate: 38, wanted: 4),
    ]

    @Test(arguments: cases) func `more replicas come at once, as Kubernetes counts them`(_ one: Case) {
        var scaler = Autoscaler(policy: one.policy, cap: cap)
        let count = scaler.decide(seen(one.current, cpu: one.cpu, memory: one.memory, inFlight: one.inFlight, rate: one.rate), now: start)
        #expect(count == one.wanted)
    }

    @Test func `fewer come only when that was so for the whole window`() {
        var scaler = Autoscaler(policy: Autoscale(min: 1, max: 10, requestsPerSecond: 10), cap: cap)
        #expect(scaler.decide(seen(4, rate: 40), now: start) == 4)
        for second in stride(from: 15, through: 300, by: 15) {
            #expect(scaler.decide(seen(4, rate: 10), now: start + .seconds(second)) == 4)
        }
        #expect(scaler.decide(seen(4, rate: 10), now: start + .seconds(315)) == 1)
    }

    @Test func `the last one goes after the idle time alone, and none comes back by itself`() {
        var scaler = Autoscaler(policy: Autoscale(min: 0, max: 4, inFlight: 10, idleSeconds: 60), cap: cap)
        #expect(scaler.decide(seen(1, idle: .seconds(59)), now: start) == 1)
        #expect(scaler.decide(seen(1, inFlight: 1, idle: .seconds(600)), now: start + .seconds(15)) == 1)
        #expect(scaler.decide(seen(1, idle: .seconds(60)), now: start + .seconds(30)) == 0)
        #expect(scaler.decide(seen(0), now: start + .seconds(45)) == 0)
    }

    @Test func `bounds that were changed hold at once`() {
        var scaler = Autoscaler(policy: Autoscale(min: 3, max: 5, inFlight: 10), cap: cap)
        #expect(scaler.decide(seen(1), now: start) == 3)
        #expect(scaler.decide(seen(9, inFlight: 90), now: start) == 5)
    }
}
