import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

/// What the next start makes of rows and replicas that a crash left; each test leaves them as one step of a rollout does.
@Suite(.timeLimit(.minutes(4))) struct ResumeTests {
    @Test func `a push that was rolling has failed, and only the live release runs`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.crash(.push, applied: true)
            let service = harbour.restarted()
            try await service.resume()
            #expect(try await harbour.releases() == ["v1 live", "v2 failed"])
            #expect(try await harbour.release(2).failure == "the platform stopped during the rollout")
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=2")
            #expect(try await harbour.push(to: service) == 3)
            await service.stop()
        }
    }

    @Test func `a first push that was rolling leaves nothing running`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.crash(.push, applied: true)
            let service = harbour.restarted()
            try await service.resume()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.sets.isEmpty == true)
            #expect(try await harbour.liveNumber() == nil)
            await service.stop()
        }
    }

    @Test(arguments: [ReleaseRecord.Cause.config, .rollback], [true, false])
    func `config and rollbacks that were rolling are rolled out again`(cause: ReleaseRecord.Cause, applied: Bool) async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.crash(cause, applied: applied, config: ["A": "1"])
            let service = harbour.restarted()
            try await service.resume()
            await service.settle()
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live"])
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v2 web=2")
            #expect(try await service.config(appID: harbour.appID) == ["A": "1"])
            await service.stop()
        }
    }

    @Test func `a crash after the release went live stops the old one`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            let release = try await harbour.crash(.push, applied: true)
            try await harbour.service.commit(release)
            let service = harbour.restarted()
            try await service.resume()
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live"])
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v2 web=2")
            await service.stop()
        }
    }

    @Test func `the image of a rollout that was broken off is removed, once its replicas have let go of it`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.crash(.push, applied: true)
            let service = harbour.restarted()
            harbour.inUse.note("the new replicas are still stopping")
            try await service.resume()
            await service.settle()
            #expect(harbour.inUse.entries.isEmpty)
            #expect(harbour.removed.entries == ["image 2"])
            await service.stop()
        }
    }

    @Test func `an engine that is down at the start gets the workload once it is back`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            let down = MoorError(.unavailable, "the engine is down")
            try await harbour.crash(.push, applied: true)
            await harbour.orchestrator.failApplies([down, down])
            let service = harbour.restarted()
            try await service.resume()
            await service.settle()
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=2")
            await service.stop()
        }
    }

    @Test func `the environment of a release is the same after a restart`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.set(["A": "1"])
            try await harbour.push()
            let before = await harbour.orchestrator.workload(of: harbour.appID)
            let service = harbour.restarted()
            try await service.resume()
            #expect(await harbour.orchestrator.workload(of: harbour.appID) == before)
            await service.stop()
        }
    }

    @Test func `removing an app leaves neither replica, source, image nor row`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.set(["A": "1"])
            try await harbour.push()
            try await harbour.push()
            try await harbour.scale(["web": 1])
            await harbour.service.settle()
            harbour.journal.clear()
            try await harbour.service.removeApp(harbour.appID)
            #expect(harbour.journal.entries.suffix(2) == ["remove sales", "source of sales removed"])
            #expect(harbour.removed.entries == ["image 1", "image 2"])
            #expect(try await harbour.rowCount() == 0)
            #expect(await harbour.orchestrator.replicas(of: nil).isEmpty)
        }
    }

    @Test func `a removal that was broken off is taken up at the next start`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            await harbour.orchestrator.failApplies([MoorError(.unavailable, "the engine is down")])
            try await expectRefusal(.unavailable) { try await harbour.service.removeApp(harbour.appID) }
            try await expectRefusal(.notFound) { try await harbour.scale(["web": 1]) }
            let service = harbour.restarted()
            try await service.resume()
            await service.settle()
            #expect(try await harbour.rowCount() == 0)
            #expect(await harbour.orchestrator.replicas(of: nil).isEmpty)
            await service.stop()
        }
    }

    @Test func `removing an app breaks off its rollout`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            await harbour.orchestrator.script(.starting, release: 2)
            async let push = failure { try await harbour.push() }
            try await harbour.wait(for: "apply v1 web=2, v2 web=2")
            try await harbour.service.removeApp(harbour.appID)
            #expect(await push?.code == .conflict)
            #expect(try await harbour.rowCount() == 0)
        }
    }
}

extension Harbour {
    /// Leaves the rows, and with `applied` the replicas, as a crash in the middle of a rollout does.
    @discardableResult
    func crash(_ cause: ReleaseRecord.Cause, applied: Bool, config: [String: String] = [:]) async throws -> ReleaseRecord {
        let live = try await service.desiredState(of: appID)?.live
        let image: ImageID
        if cause != .push, let live { image = live.release.imageID } else { image = try await self.image().imageID }
        let draft = ReleaseDraft(
            imageID: image, formation: Self.web, config: .given(config), cause: cause, description: "x", userID: admin.userID)
        let release = try await service.createRelease(draft, appID: appID)
        if applied {
            let environment = try await service.environment()
            var state = try #require(try await service.desiredState(of: appID))
            let id = try #require(release.id)
            state.rolling = try await store.read { db in try ReleaseRows.fetch(id, db) }
            try await orchestrator.apply(.desired(state, environment: environment))
        }
        return release
    }

    /// Rows of every table that hang on an app.
    func rowCount() async throws -> Int {
        try await store.read { db in
            try ["apps", "pushes", "builds", "images", "releases", "replicas", "config", "scales", "routes"].reduce(0) {
                try $0 + (Int.fetchOne(db, sql: "SELECT count(*) FROM \($1)") ?? 0)
            }
        }
    }
}
