import Engine
import Models
import Testing

@testable import Orchestrators

private let start = ContinuousClock.now
private let slot = Slot(releaseID: 1, process: "web", ordinal: 1)

extension Identifier: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int64) { self.init(value) }
}

private func replica(_ id: ReplicaID, slot: Slot = slot, digest: String = "a", _ phase: Replica.Phase) -> Replica {
    Replica(id: id, slot: slot, releaseNumber: 1, process: ProcessSpec(name: slot.process, command: "x"), digest: digest, phase: phase)
}

private func running(_ container: String = "c", ready: Bool = true) -> Replica.Phase {
    var health = Health(check: HealthCheck(), startedAt: start)
    if ready { _ = health.observed(.answered(status: 200), at: start) }
    return .running(containerID: container, address: "10.0.0.2", since: start, health: health)
}

struct PlanTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var desired: [Slot: String]?
        var replicas: [Replica]
        var actions: [Plan.Action]
        var wakeAt: Instant?
    }

    static let later = start + .seconds(4)
    static let cases: [Case] = [
        Case(testDescription: "nobody has said what should run", desired: nil, replicas: [replica(1, running())], actions: []),
        Case(testDescription: "an empty slot gets a row", desired: [slot: "a"], replicas: [], actions: [.insert(slot)]),
        Case(
            testDescription: "a row gets a container", desired: [slot: "a"], replicas: [replica(1, .waiting(until: start, failure: nil))],
            actions: [.launch(1)]),
        Case(testDescription: "one being launched is let be", desired: [slot: "a"], replicas: [replica(1, .launching)], actions: []),
        Case(testDescription: "one that runs is let be", desired: [slot: "a"], replicas: [replica(1, running(ready: false))], actions: []),
        Case(
            testDescription: "one that backs off is waited for", desired: [slot: "a"],
            replicas: [replica(1, .waiting(until: later, failure: Failure(exitCode: 1, reason: "x")))], actions: [], wakeAt: later),
        Case(testDescription: "one that is no longer wanted ends", desired: [:], replicas: [replica(1, running())], actions: [.end(1)]),
        Case(
            testDescription: "one that ends is not ended again", desired: [:], replicas: [replica(1, .ending(containerID: "c"))],
            actions: []),
        Case(
            testDescription: "an ending one does not fill its slot", desired: [slot: "a"],
            replicas: [replica(1, .ending(containerID: "c"))],
            actions: [.insert(slot)]),
        Case(
            testDescription: "of two for one slot the ready one stays", desired: [slot: "a"],
            replicas: [replica(1, running("c", ready: false)), replica(2, running("d"))], actions: [.end(1)]),
        Case(
            testDescription: "an outdated one that runs stays until there is a new one", desired: [slot: "b"],
            replicas: [replica(1, running())],
            actions: [.insert(slot)]),
        Case(
            testDescription: "and until the new one is ready", desired: [slot: "b"],
            replicas: [replica(1, running()), replica(2, digest: "b", running("d", ready: false))], actions: []),
        Case(
            testDescription: "then it ends", desired: [slot: "b"],
            replicas: [replica(1, running()), replica(2, digest: "b", running("d"))],
            actions: [.end(1)]),
        Case(
            testDescription: "an outdated one that does not run ends at once", desired: [slot: "b"],
            replicas: [replica(1, .waiting(until: start, failure: nil))], actions: [.end(1), .insert(slot)]),
    ]

    @Test(arguments: cases)
    func `the plan`(of example: Case) {
        let plan = Plan(desired: example.desired, replicas: example.replicas, now: start)
        #expect(plan.actions == example.actions)
        #expect(plan.wakeAt == example.wakeAt)
    }
}

struct AuditTests {
    private func container(_ id: String, of replica: Int64?, state: String = "running") -> ContainerSummary {
        ContainerSummary(id: id, labels: replica.map { [Label.replica: "\($0)"] } ?? [:], state: state)
    }

    @Test func `an ended container, one that is gone and orphans are found`() {
        let replicas: [ReplicaID: Replica] = [
            1: replica(1, running("a")), 2: replica(2, running("b")), 3: replica(3, .waiting(until: start, failure: nil)),
        ]
        let listed = [
            container("a", of: 1, state: "exited"), container("x", of: nil), container("y", of: 9), container("z", of: 3, state: "exited"),
            container("w", of: 2),
        ]
        let findings = Finding.audit(listed, takenAt: start + .seconds(1), replicas: replicas, oneOffs: [])
        #expect(
            Set(findings) == [
                .ended(1, containerID: "a"), .ended(2, containerID: "b"), .orphan(containerID: "x"), .orphan(containerID: "y"),
                .orphan(containerID: "z"), .orphan(containerID: "w"),
            ])
    }

    @Test func `what began after the list was taken is not judged by it`() {
        let findings = Finding.audit([], takenAt: start - .seconds(1), replicas: [1: replica(1, running("a"))], oneOffs: [])
        #expect(findings.isEmpty)
    }

    @Test func `what is being launched, buried or ended is left to whoever does it`() {
        let replicas: [ReplicaID: Replica] = [
            1: replica(1, .launching), 2: replica(2, .burying(containerID: "b")), 3: replica(3, .ending(containerID: "c")),
        ]
        let listed = [container("a", of: 1, state: "created"), container("b", of: 2, state: "exited"), container("c", of: 3)]
        #expect(Finding.audit(listed, takenAt: start + .seconds(1), replicas: replicas, oneOffs: []).isEmpty)
    }

    @Test func `a release command under way is no orphan, one that was left is`() {
        let listed = [
            ContainerSummary(id: "a", labels: [Label.oneOff: "1"], state: "running"),
            ContainerSummary(id: "b", labels: [Label.oneOff: "2"], state: "running"),
        ]
        #expect(Finding.audit(listed, takenAt: start, replicas: [:], oneOffs: ["1"]) == [.orphan(containerID: "b")])
    }
}
