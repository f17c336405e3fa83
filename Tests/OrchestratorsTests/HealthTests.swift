import Models
import Testing

@testable import Orchestrators

private let start = ContinuousClock.now

struct HealthTests {
    @Test(arguments: [200, 204, 301, 401, 404, 499])
    func `the first answer below 500 makes it ready`(status: Int) {
        var health = Health(check: HealthCheck(), startedAt: start)
        #expect(health.state == .starting)
        let isLost = health.observed(.answered(status: status), at: start + .milliseconds(100))
        #expect(!isLost)
        #expect(health.state == .ready)
    }

    @Test(arguments: [ProbeOutcome.refused, .silent, .answered(status: 500), .answered(status: 503)])
    func `without a good answer in its time it is unhealthy, and ready again with one`(outcome: ProbeOutcome) {
        var health = Health(check: HealthCheck(timeoutSeconds: 5), startedAt: start)
        let isEarly = health.observed(outcome, at: start + .seconds(4))
        #expect(!isEarly)
        #expect(health.state == .starting)
        let isLost = health.observed(outcome, at: start + .seconds(5))
        #expect(isLost)
        health.found(reason: "nothing listens", at: start + .seconds(5))
        #expect(health.state == .unhealthy(reason: "nothing listens"))
        _ = health.observed(.answered(status: 200), at: start + .seconds(9))
        #expect(health.state == .ready)
    }

    @Test func `a ready one is taken out after three failures in a row, not before`() {
        var health = Health(check: HealthCheck(), startedAt: start)
        let good = ProbeOutcome.answered(status: 200)
        let verdicts = [good, .silent, .silent, good, .silent, .refused, .answered(status: 502)].map { health.observed($0, at: start) }
        #expect(verdicts == [false, false, false, false, false, false, true])
        #expect(health.isReady)
        health.found(reason: "answers 502 on /", at: start)
        #expect(health.state == .unhealthy(reason: "answers 502 on /"))
    }

    @Test func `a reason that comes after a good answer does not count`() {
        var health = Health(check: HealthCheck(), startedAt: start)
        _ = health.observed(.answered(status: 200), at: start)
        health.found(reason: "nothing listens", at: start)
        #expect(health.isReady)
    }

    @Test func `one that was long unhealthy hangs, as its check says or the platform`() {
        func hangs(_ check: HealthCheck, after seconds: Int) -> Bool {
            var health = Health(check: check, startedAt: start)
            _ = health.observed(.answered(status: 200), at: start)
            for second in 1...3 { _ = health.observed(.silent, at: start + .seconds(second)) }
            health.found(reason: "x", at: start + .seconds(10))
            // What comes later does not begin its time anew.
            health.found(reason: "y", at: start + .seconds(20))
            #expect(health.readyFor(at: start + .seconds(99)) == .seconds(10), "how long it had been well is not lost")
            return health.isHung(at: start + .seconds(10 + seconds), usual: .seconds(60))
        }
        #expect(!hangs(HealthCheck(), after: 59) && hangs(HealthCheck(), after: 60))
        #expect(!hangs(HealthCheck(restartAfterSeconds: 5), after: 4) && hangs(HealthCheck(restartAfterSeconds: 5), after: 5))
        #expect(!hangs(HealthCheck(restartAfterSeconds: 0), after: 100_000))
        #expect(!Health(check: HealthCheck(), startedAt: start).isHung(at: start + .seconds(1000), usual: .seconds(1)), "it only starts")
    }

    @Test(arguments: [(1, 1), (5, 5), (nil, 3)] as [(Int?, Int)])
    func `as many failures as its check allows take it out`(threshold: Int?, expected: Int) {
        var health = Health(check: HealthCheck(probe: .tcp, failureThreshold: threshold), startedAt: start)
        _ = health.observed(.connected, at: start)
        let verdicts = (1...expected).map { _ in health.observed(.refused, at: start) }
        #expect(verdicts == Array(repeating: false, count: expected - 1) + [true])
    }

    @Test(arguments: [(ProbeOutcome.exited(code: 0), true), (.exited(code: 1), false), (.connected, true), (.answered(status: 500), false)])
    func `a good answer is one that the check asks for`(outcome: ProbeOutcome, isGood: Bool) {
        #expect(outcome.isGood == isGood)
    }

    @Test func `a process without HTTP is ready once it ran for a second`() {
        var health = Health(check: nil, startedAt: start)
        health.settled(at: start + .milliseconds(900))
        #expect(health.state == .starting)
        health.settled(at: start + .seconds(1))
        #expect(health.state == .ready)
    }

    @Test func `probes are close at the start and grow apart`() {
        let health = Health(check: HealthCheck(), startedAt: start)
        let pauses = [0, 1, 4, 60].map { health.pause(at: start + .seconds($0), usual: .seconds(5)) }
        #expect(pauses == [.milliseconds(50), .milliseconds(50), .milliseconds(200), .seconds(1)])
    }
}

struct BackoffTests {
    @Test func `the wait doubles up to its bound`() {
        let backoff = Backoff()
        let waits = (1...12).map { backoff.delay(failures: $0) / .seconds(1) }
        #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
    }

    @Test(arguments: [(19, 4), (20, 1)])
    func `health for ten times the last wait begins the count anew`(seconds: Int, wait: Int) {
        let process = ProcessSpec(name: "web", command: "x", health: HealthCheck())
        var replica = Replica(
            id: 1, slot: Slot(releaseID: 1, process: "web", ordinal: 1), releaseNumber: 1, process: process, digest: "", phase: .launching)
        replica.failures = 2
        replica.started(containerID: "c", address: nil, at: start, unixTime: 0)
        guard case .running(let id, let address, let since, var health) = replica.phase else {
            Issue.record("it does not run")
            return
        }
        _ = health.observed(.answered(status: 200), at: start)
        replica.phase = .running(containerID: id, address: address, since: since, health: health)
        let end = start + .seconds(seconds)
        let hasEnded = replica.ended(containerID: "c", at: end, backoff: Backoff())
        #expect(hasEnded)
        replica.failed(Failure(exitCode: 1, reason: "x"), at: end, backoff: Backoff())
        let expected: ReplicaStatus.State =
            wait == 1
            ? .backingOff(exitCode: 1, reason: "x", retryAfterSeconds: wait)
            : .crashLooping(exitCode: 1, reason: "x", retryAfterSeconds: wait)
        #expect(replica.status(appID: 1, at: end).state == expected)
    }
}
