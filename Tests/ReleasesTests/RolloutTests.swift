import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

/// Waves, pauses, undoing and canaries, over real rows and a scripted orchestrator.
@Suite(.timeLimit(.minutes(4))) struct RolloutTests {
    static let waves = [
        ProcessSpec(
            name: "web", command: "x", replicas: 3, health: HealthCheck(timeoutSeconds: 0), rollout: RolloutStrategy(maxSurge: .count(1)))
    ]

    @Test func `in waves both releases answer, and each old replica drains before the next new one comes`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push(Self.waves)
            harbour.journal.clear()
            #expect(try await harbour.push(Self.waves) == 2)
            await harbour.service.settle()
            #expect(
                harbour.applies == [
                    "v1 web=3, v2 web=1", "v1 web=2, v2 web=1", "v1 web=2, v2 web=2", "v1 web=1, v2 web=2", "v1 web=1, v2 web=3",
                    "v2 web=3",
                ])
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live"])
            #expect(await harbour.service.underWay[harbour.appID]?.wanted.isEmpty == true)
        }
    }

    @Test func `while a wave drains, the routes hold what both releases have ready, and status says so`() async throws {
        let gate = Gate()
        try await Harbour.with(draining: { _ in
            await gate.pass(); return 0
        }) { harbour async throws in
            try await harbour.push(Self.waves)
            async let push = harbour.push(Self.waves)
            try await harbour.wait(for: "drain 1")
            let serving = try #require(await harbour.service.serving()[harbour.appID])
            #expect(serving.rolling == ReleaseID(2) && serving.out[ReleaseID(1)] == [3])
            let replicas = await harbour.orchestrator.replicas(of: harbour.appID)
            let live = try await harbour.release(1)
            let route = RouteSnapshot.Route.serving(app: harbour.app, live: live, scales: [], replicas: replicas, beside: serving)
            #expect(route?.endpoints.count == 3 && route?.isSticky == true)
            let status = try await harbour.service.rolloutStatus(appID: harbour.appID)
            #expect(status.phase == .rolling && status.live == 1 && status.release == 2 && status.newShare == 33)
            #expect(status.waitingFor == "web.3 of v1 finishes its requests")
            #expect(status.processes.map { [$0.oldReady, $0.oldWanted, $0.newReady, $0.newWanted] } == [[3, 3, 1, 3]])
            await gate.open()
            #expect(try await push == 2)
        }
    }

    @Test func `a new replica that fails in the middle brings the old release back whole, wave by wave`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push(Self.waves)
            await harbour.orchestrator.script(.unhealthy("no answer"), release: 2, name: "web.2")
            harbour.journal.clear()
            let error = try await refusal { try await harbour.push(Self.waves) }
            #expect(error.message == "web.2 of v2 did not come up: no answer" && error.hint?.hasPrefix("v1 keeps serving") == true)
            await harbour.service.settle()
            #expect(harbour.applies.suffix(4) == ["v1 web=2, v2 web=2", "v1 web=2, v2 web=1", "v1 web=3, v2 web=1", "v1 web=3"])
            #expect(try await harbour.releases() == ["v1 live", "v2 failed"])
            #expect(await harbour.service.serving()[harbour.appID] == Serving())
        }
    }

    @Test func `a crash in the middle of the waves brings the old release back before the new one goes`() async throws {
        let gate = Gate()
        try await Harbour.with(draining: { _ in
            await gate.pass(); return 0
        }) { harbour async throws in
            try await harbour.push(Self.waves)
            // The crash: rows say rolling, one old replica is gone, two new ones are there.
            let release = try await harbour.crash(.push, applied: false)
            try await harbour.store.write { db in
                try db.execute(sql: "UPDATE releases SET formation = (SELECT formation FROM releases WHERE number = 1)")
            }
            var state = try #require(try await harbour.service.desiredState(of: harbour.appID))
            let id = try #require(release.id)
            state.rolling = try await harbour.store.read { db in try ReleaseRows.fetch(id, db) }
            state.wanted = [ReleaseID(1): Waves.keys("web", 2), id: Waves.keys("web", 2)]
            try await harbour.orchestrator.apply(.desired(state, environment: try await harbour.service.environment()))
            harbour.journal.clear()
            await gate.open()
            let service = harbour.restarted()
            try await service.resume()
            await service.settle()
            #expect(harbour.applies == ["v1 web=2, v2 web=1", "v1 web=3, v2 web=1", "v1 web=3"])
            #expect(try await harbour.releases() == ["v1 live", "v2 failed"])
            await service.stop()
        }
    }

    @Test func `a paused push starts its replicas, holds before the switch and goes on when it is resumed`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.service.pauseRollout(appID: harbour.appID, by: harbour.admin)
            async let push = harbour.push()
            let held = "paused by ada: `moor rollout resume` goes on, `moor rollout undo` takes v2 back"
            try await harbour.wait(for: held, in: harbour.lines)
            #expect(try await harbour.liveNumber() == 1)
            let status = try await harbour.service.rolloutStatus(appID: harbour.appID)
            #expect(status.phase == .paused && status.processes.first?.newReady == 2 && status.waitingFor == "paused by ada")
            try await harbour.service.resumeRollout(appID: harbour.appID)
            #expect(try await push == 2)
            try await expectRefusal(.conflict) { try await harbour.service.resumeRollout(appID: harbour.appID) }
        }
    }

    @Test func `undo takes a paused push back, and without one rolls back`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.push()
            try await harbour.service.pauseRollout(appID: harbour.appID, by: harbour.admin)
            async let push = failure { try await harbour.push() }
            try await harbour.wait(for: "apply v2 web=2, v3 web=2")
            #expect(try await harbour.service.undoRollout(appID: harbour.appID, by: harbour.admin, log: .discard) == 2)
            #expect(await push?.message == "ada took v3 back")
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live", "v3 failed"])
            // The pause went with its rollout.
            #expect(try await harbour.service.undoRollout(appID: harbour.appID, by: harbour.admin, log: .discard) == 4)
            #expect(try await harbour.release(4).description == "rollback to v1")
        }
    }

    @Test func `a push does not wait for ever, but a paused change of config outlives the platform`() async throws {
        try await Harbour.with(pauseLimit: .milliseconds(50)) { harbour async throws in
            try await harbour.push()
            try await harbour.service.pauseRollout(appID: harbour.appID, by: harbour.admin)
            #expect(await failure { try await harbour.push() }?.code == .timedOut)
            try await harbour.service.pauseRollout(appID: harbour.appID, by: harbour.admin)
            async let change = failure { try await harbour.set(["A": "1"]) }
            try await harbour.wait(for: "apply v1 web=2, v3 web=2")
            try await Task.sleep(for: .milliseconds(150))
            #expect(try await harbour.releases().last == "v3 rolling")
            await harbour.service.endPauses()
            #expect(await change?.code == .unavailable)
            try await expectRefusal(.unavailable) { try await harbour.set(["B": "1"]) }
            await harbour.service.stop()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=2, v3 web=2")
            let service = harbour.restarted()
            try await service.resume()
            while try await service.rolloutStatus(appID: harbour.appID).phase != .paused { await Task.yield() }
            #expect(try await harbour.releases().last == "v3 rolling")
            try await service.resumeRollout(appID: harbour.appID)
            await service.settle()
            #expect(try await harbour.releases().last == "v3 live")
            await service.stop()
        }
    }

    @Test func `a canary has its share of the replicas, refuses other changes, grows, and is promoted`() async throws {
        try await Harbour.with { harbour async throws in
            let formation = [
                ProcessSpec(name: "web", command: "x", replicas: 4, health: HealthCheck(timeoutSeconds: 0)),
                ProcessSpec(name: "worker", command: "celery"), ProcessSpec(name: "release", command: "migrate"),
            ]
            try await harbour.push(formation)
            harbour.journal.clear()
            #expect(try await harbour.push(formation, canary: 10) == 2)
            #expect(harbour.lines.entries.last?.hasPrefix("v2 gets 10 % of the viewers") == true)
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=4 worker=1, v2 web=1")
            #expect(try await harbour.releases() == ["v1 live", "v2 rolling"])
            let refused = try await refusal { try await harbour.set(["A": "1"]) }
            #expect(refused.code == .conflict && refused.message == "v2 is a canary with 10 % of the viewers")
            #expect(
                try await harbour.service.canary(appID: harbour.appID, release: nil, percent: 50, by: harbour.admin, log: .discard) == 2)
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=4 worker=1, v2 web=2")

            // A restart leaves it as it is.
            let service = harbour.restarted()
            try await service.resume()
            await service.settle()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=4 worker=1, v2 web=2")
            let status = try await service.rolloutStatus(appID: harbour.appID)
            #expect(status.phase == .canary && status.newShare == 50 && status.release == 2)
            #expect(try await service.promoteCanary(appID: harbour.appID, log: .discard) == 2)
            await service.settle()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v2 web=4 worker=1")
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live"])
            #expect(harbour.journal.entries.filter { $0.hasPrefix("run") } == ["run v2 migrate"])
            await service.stop()
        }
    }

    @Test func `a canary of an earlier release is undone without a trace, and one whose push broke off is none`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            let error = try await refusal { try await harbour.service.promoteCanary(appID: harbour.appID, log: .discard) }
            #expect(error.code == .conflict)
            try await harbour.push()
            #expect(
                try await harbour.service.canary(appID: harbour.appID, release: 1, percent: 20, by: harbour.admin, log: .discard) == 3)
            let row = try await harbour.store.read { db in try CanaryRecord.fetchOne(db) }
            let record = try #require(row)
            let live = try await harbour.release(2)
            let replicas = await harbour.orchestrator.replicas(of: nil)
            let route = RouteSnapshot.Route.serving(app: harbour.app, live: live, canary: record, scales: [], replicas: replicas)
            #expect(route?.endpoints.count == 2 && route?.canary?.endpoints.count == 1 && route?.canary?.percent == 20)
            #expect(try await harbour.service.undoRollout(appID: harbour.appID, by: harbour.admin, log: .discard) == 2)
            await harbour.service.settle()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v2 web=2")
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live", "v3 failed"])

            await harbour.orchestrator.script(.starting, release: 4)
            async let push = failure { try await harbour.push(canary: 10) }
            try await harbour.wait(for: "apply v2 web=2, v4 web=1")
            let service = harbour.restarted()
            try await service.resume()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v2 web=2")
            #expect(try await harbour.releases().last == "v4 failed")
            await harbour.service.stop()
            #expect(await push != nil)
            await service.stop()
        }
    }

    @Test func `WebSockets keep each old replica for as long as the app says, and the oldest release goes where too many drain`()
        async throws
    {
        let gate = Gate()
        try await Harbour.with(draining: { endpoints in
            // The requests end at once; the WebSocket of the second replica stays.
            if endpoints.count == 1, endpoints[0].port % 2 == 0 { await gate.pass() }
            return 0
        }) { harbour async throws in
            let formation = [
                ProcessSpec(
                    name: "web", command: "x", replicas: 2, health: HealthCheck(timeoutSeconds: 0),
                    drain: DrainTimes(requestSeconds: 5, webSocketSeconds: 7200))
            ]
            try await harbour.push(formation)
            try await harbour.push(formation)
            try await harbour.wait(for: "apply v1 web=1, v2 web=2")
            #expect(harbour.journal.entries.contains("drain 2 of requests"))
            for _ in 0..<2 { try await harbour.push(formation) }
            let said = "v1 stops with 1 open, since 2 later releases finish theirs too (rollout.draining_releases)"
            #expect(harbour.lines.entries.contains(said))
            #expect(harbour.journal.entries.contains("cut 1"))
            await gate.open()
            await harbour.service.settle()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v4 web=2")
        }
    }
}

extension Harbour {
    /// What was asked of the orchestrator, each change once.
    var applies: [String] {
        journal.entries.filter { $0.hasPrefix("apply ") }.map { String($0.dropFirst(6)) }
            .reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }
}
