import Engine
import Foundation
import GRDB
package import Models
import Store

extension BuildService {
    /// The image of an earlier build of the same app, tree and plan, where the engine still has it.
    func reusable(_ appID: AppID, tree: String, planLabel: String) async throws -> EngineImage? {
        let row = try await store.read { db in
            try ImageRecord.fetchOne(
                db,
                sql: """
                    SELECT images.* FROM images JOIN builds ON builds.id = images.buildID JOIN pushes ON pushes.id = builds.pushID
                    WHERE pushes.appID = ? AND builds.treeID = ? AND images.removedAt IS NULL ORDER BY images.id DESC LIMIT 1
                    """, arguments: [appID, tree])
        }
        guard let row, var image = try await engine.image(row.reference), image.labels["moor.plan"] == planLabel else { return nil }
        image.id = row.digest
        image.references = [row.reference]
        return image
    }

    /// Takes images away; one that another image's row shares stays in the engine for that row.
    /// - Throws: `conflict` where a container still uses one; the others are gone then.
    package func removeImages(_ ids: [ImageID]) async throws(MoorError) {
        var inUse: [String] = []
        for id in ids {
            let found = try await store.read { db -> (row: ImageRecord, isShared: Bool)? in
                guard let row = try ImageRecord.fetchOne(db, key: id), row.removedAt == nil else { return nil }
                let others = ImageRecord.filter(Column("digest") == row.digest && Column("id") != id && Column("removedAt") == nil)
                return (row, try others.fetchCount(db) > 0)
            }
            guard let found else { continue }
            if !found.isShared {
                do {
                    try await engine.removeImage(found.row.reference)
                } catch let refusal as EngineClient.Refusal where refusal.status == 409 {
                    inUse.append(found.row.reference)
                    continue
                } catch {
                    throw BuildRun.forPeople(error)
                }
            }
            try await store.write { db in
                _ = try ImageRecord.filter(key: id).updateAll(db, Column("removedAt").set(to: now()))
            }
        }
        guard inUse.isEmpty else {
            throw MoorError(.conflict, "a container still uses \(inUse.joined(separator: ", "))", hint: "try again when it has stopped")
        }
    }

    /// Removes the app's package cache and dependency layers; its images go with `removeImages`.
    package func removeLeftovers(of app: AppName) async throws(MoorError) {
        do {
            let prefix = ImageNames.repository(configuration.platformID, app) + ":"
            for reference in try await engine.images().flatMap(\.references) where reference.hasPrefix(prefix) {
                do { try await engine.removeImage(reference) } catch let refusal as EngineClient.Refusal where refusal.status == 409 {}
            }
            try await engine.removeVolume(ImageNames.cache(configuration.platformID, app))
        } catch {
            throw BuildRun.forPeople(error)
        }
    }
}
