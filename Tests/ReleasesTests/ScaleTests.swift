import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

@Suite(.timeLimit(.minutes(4))) struct ScaleTests {
    static let formation = Harbour.web + [ProcessSpec(name: "worker", command: "celery"), ProcessSpec(name: "release", command: "x")]

    @Test func `up waits for the new replicas, then they get traffic; later deploys keep it`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push(Self.formation)
            await harbour.orchestrator.script(.starting, name: "web.3")
            harbour.journal.clear()
            async let scaled: Void = harbour.scale(["web": 3])
            try await harbour.wait(for: "apply v1 web=3 worker=1")
            #expect(try await harbour.scales().isEmpty)
            await harbour.orchestrator.set(.ready, release: 1, name: "web.3")
            try await scaled
            #expect(harbour.journal.entries == ["apply v1 web=3 worker=1", "traffic to v1"])
            #expect(try await harbour.scales() == ["web": 3])
            await harbour.orchestrator.script(.ready)
            try await harbour.push()
            await harbour.service.settle()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v2 web=3")
        }
    }

    @Test func `down takes the surplus out of traffic, drains it and stops it`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push(Self.formation)
            harbour.journal.clear()
            try await harbour.scale(["web": 1, "worker": 0])
            #expect(harbour.journal.entries == ["traffic to v1", "drain 1", "apply v1 web=1"])
            #expect(try await harbour.scales() == ["web": 1, "worker": 0])
        }
    }

    @Test func `up and down at once lose nothing on the way`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push(Self.formation)
            harbour.journal.clear()
            try await harbour.scale(["web": 1, "worker": 2])
            #expect(harbour.journal.entries == ["apply v1 web=2 worker=2", "traffic to v1", "drain 1", "apply v1 web=1 worker=2"])
        }
    }

    @Test func `up that does not come up is taken back with the reason`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            await harbour.orchestrator.script(.exits(code: 137, lines: ["out of memory"]), name: "web.3")
            let error = try await refusal { try await harbour.scale(["web": 3]) }
            #expect(error.code == .appFailed)
            #expect(error.message == "web.3 of v1 did not come up: it exited with code 137")
            #expect(error.detail == ["the last lines of web.3:", "out of memory"])
            #expect(error.hint == "the scale is as it was before; what ran keeps running")
            #expect(try await harbour.scales().isEmpty)
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=2")
        }
    }

    @Test func `replicas that were broken before do not stand in the way of more`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            await harbour.orchestrator.set(.unhealthy(reason: "x"), release: 1, name: "web.1")
            try await harbour.scale(["web": 3])
            #expect(try await harbour.scales() == ["web": 3])
        }
    }

    @Test func `to zero and back works`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.scale(["web": 0])
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "nothing")
            try await harbour.push()
            #expect(harbour.lines.entries.contains("nothing to start: every process is scaled to 0"))
            try await harbour.scale(["web": 1])
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v2 web=1")
        }
    }

    @Test func `an unknown process and an app without a release are refused`() async throws {
        try await Harbour.with { harbour async throws in
            try await expectRefusal(.conflict) { try await harbour.scale(["web": 1]) }
            try await harbour.push(Self.formation)
            let error = try await refusal { try await harbour.scale(["web": 3, "wroker": 1]) }
            #expect(error.code == .invalid && error.message.contains("wroker") && error.hint == "v1 has web, worker")
            try await expectRefusal(.invalid) { try await harbour.scale(["release": 1]) }
            #expect(try await harbour.scales().isEmpty)
        }
    }

    @Test(arguments: [-1, 101]) func `a count out of range is refused`(count: Int) async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await expectRefusal(.invalid) { try await harbour.scale(["web": count]) }
            #expect(try await harbour.scales().isEmpty)
        }
    }
}

extension Harbour {
    func scale(_ counts: [String: Int]) async throws {
        try await service.scale(appID: appID, to: counts, by: admin)
    }

    func scales() async throws -> [String: Int] {
        try await store.read { db in
            Dictionary(uniqueKeysWithValues: try ScaleRecord.fetchAll(db).map { ($0.process, $0.replicas) })
        }
    }
}
