import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

@Suite(.timeLimit(.minutes(4))) struct RollbackTests {
    @Test func `it makes the earlier image, processes and config a new release, and the config follows`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.set(["A": "old"])
            try await harbour.push()
            try await harbour.set(["A": "new", "B": "1"])
            try await harbour.push([ProcessSpec(name: "web", command: "other", health: HealthCheck(timeoutSeconds: 0))])
            #expect(try await harbour.rollback(to: 1) == 4)
            let (first, fourth) = (try await harbour.release(1), try await harbour.release(4))
            #expect(fourth.imageID == first.imageID && fourth.formation == first.formation)
            #expect(fourth.cause == .rollback && fourth.description == "rollback to v1" && fourth.state == .live)
            #expect(await harbour.environment(of: 4)?["A"] == "old")
            #expect(try await harbour.service.config(appID: harbour.appID) == ["A": "old"])
        }
    }

    @Test func `without a number it goes to the release that was live before, over failed ones`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.push()
            await harbour.orchestrator.script(.exits(code: 1, lines: []), release: 3)
            _ = await failure { try await harbour.push() }
            #expect(try await harbour.rollback(to: nil) == 4)
            #expect(try await harbour.release(4).description == "rollback to v1")
            #expect(try await harbour.rollback(to: nil) == 5)
            #expect(try await harbour.release(5).description == "rollback to v2")
        }
    }

    @Test func `one that does not come up leaves release and config as they were`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.set(["A": "1"])
            await harbour.orchestrator.script(.exits(code: 1, lines: []), release: 3)
            let error = try await refusal { try await harbour.rollback(to: 1) }
            #expect(error.hint == "v2 keeps serving")
            #expect(try await harbour.liveNumber() == 2)
            #expect(try await harbour.service.config(appID: harbour.appID) == ["A": "1"])
        }
    }

    @Test func `what cannot be gone back to is refused, naming what is kept`() async throws {
        try await Harbour.with(keptReleases: 1) { harbour async throws in
            try await expectRefusal(.conflict) { try await harbour.rollback(to: nil) }
            for _ in 1...3 { try await harbour.push() }
            await harbour.orchestrator.script(.exits(code: 1, lines: []), release: 4)
            _ = await failure { try await harbour.push() }
            try await harbour.expectRefusedRollback(to: 9, .notFound)
            try await harbour.expectRefusedRollback(to: 4, .conflict)
            try await harbour.expectRefusedRollback(to: 1, .conflict)
            #expect(try await harbour.releases().count == 4)
        }
    }

    @Test func `images are removed once nothing can go back to them, and not before`() async throws {
        try await Harbour.with(keptReleases: 2) { harbour async throws in
            for _ in 1...3 { try await harbour.push() }
            await harbour.service.settle()
            #expect(harbour.removed.entries.isEmpty)
            await harbour.orchestrator.script(.exits(code: 1, lines: []), release: 4)
            harbour.inUse.note("the failed replicas, which are still stopping, use v4's image")
            _ = await failure { try await harbour.push() }
            await harbour.service.settle()
            #expect(harbour.inUse.entries.isEmpty)
            #expect(harbour.removed.entries == ["image 4"])
            // v5 is v1's image again, which stays.
            #expect(try await harbour.rollback(to: 1) == 5)
            await harbour.service.settle()
            #expect(harbour.removed.entries == ["image 4"])
            try await harbour.push()
            await harbour.service.settle()
            #expect(harbour.removed.entries == ["image 4", "image 2"])
        }
    }

    @Test func `an image that is the same to the engine as a kept one stays`() async throws {
        try await Harbour.with(keptReleases: 1) { harbour async throws in
            for _ in 1...3 { try await harbour.push() }
            await harbour.service.settle()
            #expect(harbour.removed.entries == ["image 1"])
            let image = try await harbour.image()
            try await harbour.store.write { db in
                try db.execute(
                    sql: "UPDATE images SET digest = (SELECT digest FROM images WHERE id = 2) WHERE id = ?", arguments: [image.imageID])
            }
            try await harbour.push(image: image)
            await harbour.service.settle()
            #expect(harbour.removed.entries == ["image 1"])
        }
    }
}

extension Harbour {
    func rollback(to number: Int?) async throws -> Int {
        try await service.rollback(appID: appID, to: number, by: admin, log: lines.log)
    }

    func expectRefusedRollback(to number: Int, _ code: MoorError.Code) async throws {
        let error = try await refusal { try await rollback(to: number) }
        #expect(error.code == code)
        #expect(error.hint == "kept releases: v2, v3")
    }
}
