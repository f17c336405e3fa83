import Engine
import Foundation
import GRDB
package import Models
import Store

extension BuildService {
    /// The image of the latest build of the same app and tree.
    func earlierImage(_ appID: AppID, tree: String) async throws -> ImageRecord? {
        try await store.read { db in
            try ImageRecord.fetchOne(
                db,
                sql: """
                    SELECT images.* FROM images JOIN builds ON builds.id = images.buildID JOIN pushes ON pushes.id = builds.pushID
                    WHERE pushes.appID = ? AND builds.treeID = ? AND images.removedAt IS NULL ORDER BY images.id DESC LIMIT 1
                    """, arguments: [appID, tree])
        }
    }

    /// The row's image where it still stands, in the engine too, and was made by the same plan.
    func reusable(_ row: ImageRecord, planLabel: String) async throws -> EngineImage? {
        let stands = try await store.read { db in
            try ImageRecord.filter(Column("id") == row.id && Column("removedAt") == nil).fetchCount(db) == 1
        }
        guard stands, var image = try await engine.image(row.reference), image.labels["moor.plan"] == planLabel else { return nil }
        image.id = row.digest
        image.references = [row.reference]
        return image
    }

    /// Takes images away; one that another image's row shares stays in the engine for that row.
    /// - Throws: `conflict` where a container still uses one; the others are gone then.
    package func removeImages(_ ids: [ImageID]) async throws(MoorError) {
        var inUse: [String] = []
        for id in ids {
            guard let row = try await store.read({ db in try ImageRecord.fetchOne(db, key: id) }), row.removedAt == nil else { continue }
            // A build that takes this image as its own is about to write the row that shares it.
            guard busyImages.insert(row.reference).inserted else {
                inUse.append(row.reference)
                continue
            }
            defer { busyImages.remove(row.reference) }
            let isShared = try await store.read { db in
                let others = ImageRecord.filter(Column("digest") == row.digest && Column("id") != id && Column("removedAt") == nil)
                return try others.fetchCount(db) > 0
            }
            if !isShared {
                do {
                    try await engine.removeImage(row.reference)
                } catch let refusal as EngineClient.Refusal where refusal.status == 409 {
                    inUse.append(row.reference)
                    continue
                } catch {
                    throw BuildRun.forPeople(error)
                }
            }
            try await store.write { db in
                _ = try ImageRecord.filter(key: id).updateAll(db, Column("removedAt").set(to: now()))
            }
        }
        collectSoon()
        guard inUse.isEmpty else {
            throw MoorError(.conflict, "a container still uses \(inUse.joined(separator: ", "))", hint: "try again when it has stopped")
        }
    }
}
