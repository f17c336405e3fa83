import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

@Suite(.timeLimit(.minutes(4))) struct DeployTests {
    @Test func `a first push starts the replicas, switches traffic and says so line by line`() async throws {
        try await Harbour.with { harbour async throws in
            #expect(try await harbour.push() == 1)
            #expect(harbour.journal.entries == ["apply v1 web=2", "traffic to v1"])
            #expect(try await harbour.releases() == ["v1 live"])
            #expect(try await harbour.liveNumber() == 1)
            let lines = harbour.lines.entries.map { $0.replacing(/\([\d.]+ s\)/, with: "(time)") }
            #expect(
                lines == [
                    "release v1", "starting 2 replicas of web", "web.1 is healthy (time)", "web.2 is healthy (time)",
                    "traffic switched to v1 (time)",
                ])
        }
    }

    @Test func `a second push runs beside the first, takes the traffic, then drains and stops it`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            harbour.journal.clear()
            #expect(try await harbour.push() == 2)
            await harbour.service.settle()
            #expect(
                harbour.journal.entries == ["apply v1 web=2, v2 web=2", "traffic to v2", "drain 2", "apply v2 web=2"])
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live"])
        }
    }

    @Test func `the push returns while the old release still drains, and its workers stop at once`() async throws {
        let gate = Gate()
        try await Harbour.with(draining: { _ in
            await gate.pass(); return 0
        }) { harbour async throws in
            let formation = Harbour.web + [ProcessSpec(name: "worker", command: "celery")]
            try await harbour.push(formation)
            harbour.journal.clear()
            try await harbour.push(formation)
            try await harbour.wait(for: "drain 2")
            #expect(
                harbour.journal.entries == [
                    "apply v1 web=2 worker=1, v2 web=2 worker=1", "traffic to v2", "apply v1 web=2, v2 web=2 worker=1", "drain 2",
                ])
            await gate.open()
            await harbour.service.settle()
            #expect(harbour.journal.entries.last == "apply v2 web=2 worker=1")
        }
    }

    @Test func `a third push leaves a release that still drains alone`() async throws {
        let gate = Gate()
        try await Harbour.with(draining: { _ in
            await gate.pass(); return 0
        }) { harbour async throws in
            try await harbour.push()
            try await harbour.push()
            try await harbour.wait(for: "drain 2")
            try await harbour.push()
            #expect(harbour.journal.entries.contains("apply v1 web=2, v2 web=2, v3 web=2"))
            await gate.open()
            await harbour.service.settle()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v3 web=2")
        }
    }

    @Test(arguments: [
        (ScriptedOrchestrator.Behaviour.exits(code: 3, lines: ["Traceback", "KeyError: 'X'"]), "it exited with code 3", "KeyError: 'X'"),
        (
            .unhealthy("nothing listens on $PORT (5000); the process listens on 8050"),
            "nothing listens on $PORT (5000); the process listens on 8050", "web.2 wrote nothing"
        ),
    ])
    func `a replica that does not come up rejects the push with its lines, and the old release keeps serving`(
        behaviour: ScriptedOrchestrator.Behaviour, reason: String, line: String
    ) async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            harbour.journal.clear()
            await harbour.orchestrator.script(behaviour, release: 2, name: "web.2")
            let error = try await refusal { try await harbour.push() }
            #expect(error.code == .appFailed)
            #expect(error.message == "web.2 of v2 did not come up: \(reason)")
            #expect(error.detail.last == line)
            #expect(error.hint == "v1 keeps serving; fix the app and push again")
            #expect(harbour.journal.entries == ["apply v1 web=2, v2 web=2", "apply v1 web=2"])
            #expect(try await harbour.releases() == ["v1 live", "v2 failed"])
            #expect(try await harbour.release(2).failure == error.message)
            #expect(try await harbour.liveNumber() == 1)
        }
    }

    @Test func `a replica that is ready and then ends before the others are fails the rollout`() async throws {
        try await Harbour.with { harbour async throws in
            await harbour.orchestrator.script(.starting, name: "web.2")
            async let push = failure { try await harbour.push() }
            try await harbour.wait(for: "apply v1 web=2")
            await harbour.orchestrator.set(.starting, release: 1, name: "web.1", restarts: 1)
            #expect(await push?.message == "web.1 of v1 did not come up: it exited and was started again")
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.sets.isEmpty == true)
        }
    }

    @Test func `replicas that nothing is heard of fail the rollout at the deadline`() async throws {
        try await Harbour.with(slack: .milliseconds(1)) { harbour async throws in
            await harbour.orchestrator.script(.starting)
            let formation = [ProcessSpec(name: "web", command: "x", health: HealthCheck(timeoutSeconds: 0))]
            let error = try await refusal { try await harbour.push(formation) }
            #expect(error.code == .appFailed)
            #expect(error.message.hasPrefix("web.1 of v1 was not ready after"))
            #expect(try await harbour.releases() == ["v1 failed"])
        }
    }

    @Test func `numbers count up over failed releases`() async throws {
        try await Harbour.with { harbour async throws in
            await harbour.orchestrator.script(.exits(code: 1, lines: []), release: 1)
            _ = await failure { try await harbour.push() }
            #expect(try await harbour.push() == 2)
        }
    }

    @Test func `the release process runs before any replica, and its failure changes nothing`() async throws {
        try await Harbour.with { harbour async throws in
            let formation = Harbour.web + [ProcessSpec(name: "release", command: "flask db upgrade")]
            try await harbour.push(formation)
            #expect(harbour.journal.entries == ["run v1 flask db upgrade", "apply v1 web=2", "traffic to v1"])
            await harbour.orchestrator.scriptCommand { () throws(MoorError) in
                throw MoorError(.appFailed, "it exited with code 2", detail: ["no such table"])
            }
            harbour.journal.clear()
            let error = try await refusal { try await harbour.push(formation) }
            #expect(error.message == "the release command of v2 failed: it exited with code 2")
            #expect(error.detail == ["no such table"])
            #expect(harbour.journal.entries == ["run v2 flask db upgrade"])
            #expect(try await harbour.releases() == ["v1 live", "v2 failed"])
            await harbour.orchestrator.scriptCommand {}
            await harbour.orchestrator.endCommands(with: CommandEnd(exitCode: 4, reason: "exited with code 4"))
            let failed = try await refusal { try await harbour.push(formation) }
            #expect(failed.message == "the release command of v3 failed: the release command exited with code 4")
        }
    }

    @Test func `an orchestrator that refuses fails the push, and the old workload is handed over until it is taken`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            harbour.journal.clear()
            let down = MoorError(.unavailable, "the engine is down")
            await harbour.orchestrator.failApplies([down, down, down])
            let error = await failure { try await harbour.push() }
            #expect(error == down)
            await harbour.service.settle()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=2")
            #expect(try await harbour.push() == 3)
        }
    }

    @Test func `an app without a process is refused before it has a release`() async throws {
        try await Harbour.with { harbour async throws in
            let error = await failure { try await harbour.push([ProcessSpec(name: "release", command: "x")]) }
            #expect(error?.code == .invalid)
            #expect(try await harbour.releases().isEmpty)
        }
    }

    @Test func `every process gets the platform's variables and its config, and PORT is not the config's`() async throws {
        try await Harbour.with { harbour async throws in
            _ = try await harbour.service.setConfig(
                appID: harbour.appID, set: ["DATABASE_URL": "postgres://x", "DASH_DOMAIN_BASE": "mine"], unset: [], by: harbour.admin,
                log: .discard)
            try await harbour.push()
            let set = try #require(await harbour.orchestrator.workload(of: harbour.appID)?.sets.first)
            var environment = set.environment
            #expect(Data(base64Encoded: environment.removeValue(forKey: "DASH_SECRET_KEY") ?? "")?.count == 32)
            #expect(
                environment == [
                    "PORT": "5000", "HOST": "0.0.0.0", "MOOR_APP": "sales", "MOOR_RELEASE": "v1",
                    "MOOR_COMMIT": String(repeating: "a", count: 40), "MOOR_URL": "http://sales.localhost:8080",
                    "MOOR_PANEL_URL": "http://localhost:8080", "PYTHONUNBUFFERED": "1",
                    "DASH_LOGOUT_URL": "http://sales.localhost:8080/_moor/sign-out", "DASH_DOMAIN_BASE": "mine",
                    "DATABASE_URL": "postgres://x",
                ])
        }
    }
}
