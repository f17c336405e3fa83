import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

@Suite(.timeLimit(.minutes(4))) struct OrderTests {
    @Test func `changes of one app take turns in the order they came, and those that wait say so`() async throws {
        try await Harbour.with { harbour async throws in
            await harbour.orchestrator.script(.starting, release: 1)
            async let first = harbour.push()
            try await harbour.wait(for: "apply v1 web=2")
            async let second = harbour.set(["A": "1"])
            try await harbour.wait(for: "waiting for another change of sales…", in: harbour.lines)
            for name in ["web.1", "web.2"] { await harbour.orchestrator.set(.ready, release: 1, name: name) }
            #expect(try await first == 1)
            #expect(try await second == 2)
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live"])
        }
    }

    @Test func `many changes at once all come to pass, one release at a time`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<8 {
                    group.addTask { try await harbour.set(["A\(index)": "\(index)"]) }
                    group.addTask { try await harbour.scale(["web": index % 3 + 1]) }
                }
                try await group.waitForAll()
            }
            await harbour.service.settle()
            #expect(try await harbour.service.config(appID: harbour.appID).count == 8)
            #expect(try await harbour.liveNumber() == 9)
            let scale = try await harbour.scales()["web"]
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v9 web=\(scale ?? 0)")
            // No workload ever held more than the live release, the new one and two that drain.
            #expect(harbour.journal.entries.allSatisfy { $0.split(separator: "v").count <= 5 })
        }
    }

    @Test func `cancelling one that waits leaves the queue to the others`() async throws {
        let locks = AppLocks()
        let app = AppID(1)
        let (first, holds) = locks.enqueue(app)
        #expect(holds)
        let second = locks.enqueue(app).ticket
        let third = locks.enqueue(app).ticket
        let waiting = Task { await locks.wait(second) }
        waiting.cancel()
        #expect(await waiting.value == false)
        async let turn = locks.wait(third)
        #expect(locks.enqueue(AppID(2)).holds)
        locks.release(first)
        #expect(await turn)
        locks.release(third)
        #expect(locks.enqueue(app).holds)
    }

    @Test func `a deploy cancelled while it waits changes nothing`() async throws {
        try await Harbour.with { harbour async throws in
            await harbour.orchestrator.script(.starting, release: 1)
            async let first = harbour.push()
            try await harbour.wait(for: "apply v1 web=2")
            let second = Task { await failure { try await harbour.push() } }
            try await harbour.wait(for: "waiting for another change of sales…", in: harbour.lines)
            second.cancel()
            #expect(await second.value?.code == .cancelled)
            for name in ["web.1", "web.2"] { await harbour.orchestrator.set(.ready, release: 1, name: name) }
            #expect(try await first == 1)
            #expect(try await harbour.releases() == ["v1 live"])
        }
    }

    @Test func `a deploy cancelled in its release process ends it and asks for no replica`() async throws {
        try await Harbour.with { harbour async throws in
            await harbour.orchestrator.scriptCommand { () throws(MoorError) in
                do { try await Task.sleep(for: .seconds(60)) } catch { throw MoorError(.cancelled, "cancelled") }
            }
            let formation = Harbour.web + [ProcessSpec(name: "release", command: "migrate")]
            let push = Task { await failure { try await harbour.push(formation) } }
            try await harbour.wait(for: "run v1 migrate")
            push.cancel()
            #expect(await push.value?.code == .cancelled)
            #expect(harbour.journal.entries == ["run v1 migrate"])
            #expect(try await harbour.releases() == ["v1 failed"])
            #expect(try await harbour.liveNumber() == nil)
        }
    }

    @Test func `a deploy cancelled once its replicas are asked for goes live all the same`() async throws {
        try await Harbour.with { harbour async throws in
            await harbour.orchestrator.script(.starting)
            let push = Task { try await harbour.push() }
            try await harbour.wait(for: "apply v1 web=2")
            push.cancel()
            for name in ["web.1", "web.2"] { await harbour.orchestrator.set(.ready, release: 1, name: name) }
            #expect(try await push.value == 1)
            #expect(try await harbour.releases() == ["v1 live"])
        }
    }

    @Test func `a pusher that reads nothing holds up no rollout`() async throws {
        let gate = Gate()
        try await Harbour.with { harbour async throws in
            let image = try await harbour.image()
            let log = DeployLog { line in
                harbour.lines.note(line)
                if line.hasSuffix("replicas of web") { harbour.lines.note("stalled later") }
                if line.hasPrefix("web.1") { await gate.pass() }
            }
            let push = Task {
                try await harbour.service.deploy(
                    appID: harbour.appID, image: image, pushID: PushID(1), by: harbour.admin, description: "x", log: log)
            }
            try await harbour.wait(for: "traffic to v1")
            try await harbour.push()
            await gate.open()
            #expect(try await push.value == 1)
            #expect(harbour.lines.entries.contains { $0.hasPrefix("traffic switched to v1") })
        }
    }

    @Test func `a stop fails the rollout that is under way, cuts drains short and refuses what comes`() async throws {
        try await Harbour.with(draining: { _ in
            try? await Task.sleep(for: .seconds(60))
            return 1
        }) { harbour async throws in
            try await harbour.push()
            try await harbour.push()
            try await harbour.wait(for: "drain 2")
            await harbour.orchestrator.script(.starting, release: 3)
            async let push = failure { try await harbour.push() }
            try await harbour.wait(for: "apply v1 web=2, v2 web=2, v3 web=2")
            await harbour.service.stop()
            #expect(await push?.code == .unavailable)
            try await expectRefusal(.unavailable) { try await harbour.scale(["web": 1]) }
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live", "v3 failed"])
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v2 web=2")
        }
    }
}
