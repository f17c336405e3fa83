import Foundation
import Models
import Testing

@testable import Autoscaling

/// A day of requests, second by second, against replicas that take their time to start.
struct SimulationTests {
    /// What a replica can answer in a second, at its whole CPU.
    private static let capacity = 20.0
    private static let startSeconds = 20

    /// Requests a second through one day: quiet nights, a morning's rise, a dip at noon, bursts, and noise.
    private static func trace(seed: UInt64) -> [Double] {
        var state = seed
        func noise() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 40) / Double(1 << 24)
        }
        var bursts: [(at: Int, seconds: Int, height: Double)] = []
        for _ in 0..<6 { bursts.append((Int(noise() * 80_000), 120 + Int(noise() * 900), 20 + noise() * 60)) }
        return (0..<86_400).map { second in
            let hour = Double(second) / 3600
            let day = max(0, sin((hour - 7) / 12 * .pi)) * 100 - max(0, 1 - abs(hour - 12.5)) * 30
            let burst = bursts.filter { ($0.at..<$0.at + $0.seconds).contains(second) }.reduce(0) { $0 + $1.height }
            return max(0, day + burst) * (0.85 + 0.3 * noise())
        }
    }

    private struct Outcome {
        var starvedSeconds = 0
        var longestStarved = 0
        var replicaSeconds = 0
        var idealSeconds = 0.0
        /// Changes of direction that came sooner after the last than the stabilisation window.
        var flaps = 0
        var wakes = 0
        var lowest = Int.max
        var highest = 0
    }

    private static func play(_ trace: [Double], policy: Autoscale) -> Outcome {
        var scaler = Autoscaler(policy: policy, cap: Resources(cpuMillis: 1000))
        let begin = ContinuousClock.now
        var outcome = Outcome()
        var (desired, ready, starting): (Int, Int, [Int]) = (1, 1, [])
        var (idle, starved, lastChange): (Int, Int, (at: Int, up: Bool)?) = (0, 0, nil)
        for (second, load) in trace.enumerated() {
            ready += starting.count { $0 == second }
            starting.removeAll { $0 <= second }
            idle = load > 0.5 ? 0 : idle + 1
            if desired == 0, load > 0.5 {
                // What the gateway does on the first request.
                (desired, starting) = (1, [second + startSeconds])
                outcome.wakes += 1
            } else if load > Double(ready) * capacity {
                starved += 1
                outcome.starvedSeconds += 1
                outcome.longestStarved = max(outcome.longestStarved, starved)
            } else {
                starved = 0
            }
            outcome.replicaSeconds += desired
            outcome.idealSeconds += load / (capacity * 0.7)
            (outcome.lowest, outcome.highest) = (min(outcome.lowest, desired), max(outcome.highest, desired))
            guard second % 15 == 0, desired > 0 else { continue }
            let recent = trace[max(0, second - 29)...second]
            let rate = recent.reduce(0, +) / Double(recent.count)
            let used = ready == 0 ? 0 : min(1000, Int(rate / Double(ready) / capacity * 1000))
            let count = scaler.decide(
                .init(
                    current: desired, ready: Array(repeating: .init(cpuMillis: used, memoryBytes: 0), count: ready),
                    requestsInFlight: Int(load > 0.5 ? max(1, load / 10) : 0), requestsPerSecond: rate, idleFor: .seconds(idle)),
                now: begin + .seconds(second))
            guard count != desired else { continue }
            if let lastChange, lastChange.up != (count > desired), second - lastChange.at < policy.stabilizationSeconds {
                outcome.flaps += 1
            }
            lastChange = (second, count > desired)
            if count > desired {
                starting += Array(repeating: second + startSeconds, count: count - desired)
            } else {
                let fewer = desired - count
                let unstarted = min(fewer, starting.count)
                starting.removeLast(unstarted)
                ready -= fewer - unstarted
            }
            desired = count
        }
        return outcome
    }

    @Test(arguments: UInt64(1)...20)
    func `a day of traffic neither starves nor flaps, and what is not used is given back`(seed: UInt64) {
        let policies = [
            // A replica that has all it can have looks like 1.4 times its target, however many requests wait: a burst is met in
            // steps, each a look and a start.
            (Autoscale(min: 1, max: 12, cpuPercent: 70), longestStarved: 120),
            // What is asked for is known whole: half a minute until the average is of the burst alone, two looks, as no more than
            // four come at once, a start, and a few seconds for the noise.
            (Autoscale(min: 0, max: 12, requestsPerSecond: 14), longestStarved: 90),
        ]
        for (policy, longestStarved) in policies {
            let outcome = Self.play(Self.trace(seed: seed), policy: policy)
            #expect(outcome.longestStarved <= longestStarved, "\(outcome)")
            #expect(Double(outcome.starvedSeconds) / 86_400 < 0.01, "\(outcome)")
            #expect(outcome.flaps <= 12, "\(outcome)")
            #expect(Double(outcome.replicaSeconds) < outcome.idealSeconds * 1.5 + 86_400, "\(outcome)")
            #expect(outcome.highest >= 6 && outcome.lowest == policy.min, "\(outcome)")
            if policy.min == 0 { #expect((1...20).contains(outcome.wakes), "\(outcome)") }
        }
    }
}
