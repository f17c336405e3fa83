import Builds
import Engine
import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@Suite(.engine, .serialized, .timeLimit(.minutes(10)))
struct `Collection in a real engine` {
    /// A dependency layer that takes a moment, and a cache that it fills.
    private static func pack(_ folder: URL) throws -> String {
        let pack = folder.appending(path: "packs/quick")
        try FileManager.default.createDirectory(at: pack, withIntermediateDirectories: true)
        let rule =
            "id: quick\nversion: 4\nsummary: x\nfix: x\nrules:\n  - files: [quick.txt]\n    dependencies: [quick.txt]\n    install: go\n"
        try Data(rule.utf8).write(to: pack.appending(path: "buildpack.yaml"))
        let file = """
            FROM {{base}} AS apt
            RUN touch /debian
            FROM apt AS dependencies
            WORKDIR /app
            COPY {{dependencies}} /app/
            RUN --mount=type=cache,target=/var/cache/quick head -c 3000000 /dev/zero > "/var/cache/quick/$(cat quick.txt)"; \\
                cp quick.txt /installed
            FROM dependencies
            COPY . /app/

            """
        try Data(file.utf8).write(to: pack.appending(path: "Containerfile"))
        return folder.appending(path: "packs").path
    }

    private static func tree(_ dependencies: String, _ app: String = "1") -> [String: String] {
        ["quick.txt": dependencies, "app.txt": app, "Procfile": "web: x"]
    }

    private static func release(_ shop: Workshop, _ built: (image: BuiltImage, buildID: BuildID), number: Int, live: Bool = false)
        async throws
    {
        try await shop.store.write { db in
            var release = ReleaseRecord(
                appID: shop.app.id!, number: number, imageID: built.image.imageID, sealedConfig: Data(), formation: built.image.formation,
                cause: .push, description: "", pushID: PushID(Int64(number)), state: live ? .live : .superseded, createdAt: now())
            try release.insert(db)
            if live { try db.execute(sql: "UPDATE apps SET liveReleaseID = ?", arguments: [release.id]) }
        }
    }

    private static func layers(_ shop: Workshop) async throws -> Set<String> {
        Set(try await shop.engine.images().flatMap(\.references).filter { $0.contains(":deps-") && $0.contains(shop.platformID) })
    }

    @Test func `a layer goes when nothing stands on it, and that of the newest build stays`() async throws {
        try await withWorkshop(packs: Self.pack) { shop in
            let first = try await shop.build(Self.tree("one"))
            let old = try await Self.layers(shop)
            #expect(old.count == 2, "one that all apps share, and the app's own")
            let second = try await shop.build(Self.tree("two"))
            await shop.service.settle()
            #expect(try await Self.layers(shop).count == 3, "the first build's image still stands on its layer")
            let foreign = "localhost/moor-another/sales:deps-1"
            try await shop.podman.podman("tag", first.image.reference, foreign)
            try await shop.podman.podman("untag", foreign)

            try await shop.service.removeImages([first.image.imageID])
            await shop.service.settle()
            let left = try await Self.layers(shop)
            #expect(left.count == 2 && left.intersection(old).count == 1)

            // The newest build's image goes too, as that of a release that did not come up: its layer makes the next push fast.
            try await shop.service.removeImages([second.image.imageID])
            await shop.service.settle()
            #expect(try await Self.layers(shop) == left)
            let heard = Heard()
            let third = try await shop.build(Self.tree("two", "2"), log: heard.log)
            #expect(await heard.contains("unchanged"))

            try await shop.service.removeImages([third.image.imageID])
            try await shop.store.write { db in try db.execute(sql: "UPDATE apps SET deletingAt = 1") }
            try await shop.service.resume()
            await shop.service.settle()
            #expect(try await Self.layers(shop).isEmpty, "a start collects what a removal left")
        }
    }

    @Test func `a layer is not collected under a build that is about to use it`() async throws {
        try await withWorkshop(packs: Self.pack) { shop in
            let first = try await shop.build(Self.tree("one"))
            _ = try await shop.build(Self.tree("two"))
            // Collections and builds that use the layer, at once and again: each build must come out well.
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for number in 0..<6 { _ = try await shop.build(Self.tree("one", "again \(number)")) }
                }
                group.addTask {
                    try await shop.service.removeImages([first.image.imageID])
                    await shop.service.settle()
                }
                try await group.waitForAll()
            }
            await shop.service.settle()
            let states = try await shop.states().map(\.state)
            #expect(states.count == 8 && states.allSatisfy { $0 == .succeeded })
        }
    }

    @Test func `caches stay below their ceiling, the newest used staying`() async throws {
        try await withWorkshop(packs: Self.pack) {
            $0.cacheLimit = 4 << 20
        } _: { shop in
            let cache = "moor-\(shop.platformID)-cache-"
            _ = try await shop.build(Self.tree("one"))
            await shop.service.settle()
            #expect(try await shop.engine.volumeNames().contains(cache + "\(shop.app.id!)"))
            let other = try await shop.store.makeApp("other", owner: shop.owner)
            let mine = Workshop(
                podman: shop.podman, store: shop.store, app: other, owner: shop.owner, folder: shop.folder, engine: shop.engine,
                service: shop.service)
            try await shop.podman.podman("volume", "create", "moor-another-cache-sales")
            let built = try await mine.build(Self.tree("one"))
            await shop.service.settle()
            let names = try await shop.engine.volumeNames()
            #expect(names.contains(cache + "\(other.id!)") && !names.contains(cache + "\(shop.app.id!)"))
            #expect(names.contains("moor-another-cache-sales"), "another's volumes are not ours to take")
            try await shop.podman.podman("volume", "rm", "moor-another-cache-sales")

            try await shop.service.removeImages([built.image.imageID])
            try await shop.store.write { db in try db.execute(sql: "DELETE FROM apps WHERE id = ?", arguments: [other.id]) }
            await shop.service.appRemoved()
            #expect(try await !shop.engine.volumeNames().contains(cache + "\(other.id!)"), "the next of its name does not get it")
            #expect(try await !Self.layers(shop).contains { $0.contains("/other:") })
        }
    }

    @Test func `an app's image says what it is made from, and use of the disk and a bill can be had`() async throws {
        try await withWorkshop { shop in
            let built = try await shop.build(["requirements.txt": "six==1.17.0\n", "Procfile": "web: x"])
            let image = try #require(try await shop.engine.image(built.image.reference))
            let push = try #require(try await shop.store.read { db in try PushRecord.fetchOne(db) })
            #expect(image.labels["org.opencontainers.image.revision"] == push.afterCommit)
            #expect(image.labels["org.opencontainers.image.title"] == "sales")
            #expect(image.labels["org.opencontainers.image.created"]?.hasPrefix("20") == true)
            #expect(image.labels["moor.buildpack"] == "pip")
            #expect(Int(image.labels["moor.buildpack-version"] ?? "") != nil)

            let use = try #require(try await shop.service.diskUse().apps[shop.app.name])
            #expect(use.images == 1 && use.layers == 1)
            #expect(use.layerBytes > 10_000 && use.sharedBytes > 50_000_000 && use.imageBytes < 1_000_000)

            try await Self.release(shop, built, number: 1, live: true)
            let kept = try await shop.store.read { db in try InventoryRecord.fetchCount(db) }
            #expect(kept == 1, "it was found out when the layer was made")
            for _ in 0..<2 {
                let text = try await shop.service.bill(of: shop.app.id!, release: nil)
                let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
                try expectCycloneDX(root)
                let purls = Set((root["components"] as? [[String: Any]] ?? []).compactMap { $0["purl"] as? String })
                #expect(purls.contains("pkg:pypi/six@1.17.0"))
                #expect(purls.contains { $0.hasPrefix("pkg:deb/debian/libc6@") })
                #expect(text.contains("\"name\" : \"MIT License\"") || text.contains("\"expression\" : \"MIT\""))
                // As before such records were kept: the image is looked into.
                try await shop.store.write { db in _ = try InventoryRecord.deleteAll(db) }
            }
            let error = await failure { try await shop.service.bill(of: shop.app.id!, release: 7) }
            #expect(error?.code == .notFound)
            let containers = try await shop.containers()
            #expect(containers == "")
        }
    }
}
