import Engine
import Foundation
import GRDB
import Logging
package import Models
import Store

extension BuildService {
    /// Brings rows and engine together after a crash: builds that were open are cancelled, their containers removed;
    /// images without a row, and rows that no release uses, go. To be called before the first build.
    package func resume() async throws(MoorError) {
        try await store.write { db in
            _ = try BuildRecord.filter(Column("endedAt") == nil).updateAll(
                db, Column("state").set(to: BuildRecord.State.cancelled),
                Column("failure").set(to: "the platform stopped during the build"),
                Column("endedAt").set(to: now()))
        }
        do {
            for id in try await engine.containerIDs(namePrefix: ImageNames.containerPrefix(configuration.platformID)) {
                try await engine.removeBuildContainer(id)
            }
            for group in BuildControlGroup.all(platformID: configuration.platformID) {
                group.end()
                group.remove()
            }
            try await removeUnreleased()
            try await removeUnknown()
        } catch {
            throw BuildRun.forPeople(error)
        }
        collectSoon()
    }

    private func removeUnreleased() async throws {
        let ids = try await store.read { db in
            try ImageRecord.filter(sql: "id NOT IN (SELECT imageID FROM releases)").fetchAll(db).compactMap(\.id)
        }
        try await removeImages(ids)
        try await store.write { db in _ = try ImageRecord.filter(ids.contains(Column("id"))).deleteAll(db) }
    }

    /// Images of ours in the engine that no row names. Dependency layers are collected by what stands on them.
    private func removeUnknown() async throws {
        let known = try await store.read { db in
            Set(try String.fetchAll(db, sql: "SELECT reference FROM images WHERE removedAt IS NULL"))
        }
        let root = ImageNames.root(configuration.platformID)
        for reference in try await engine.images().flatMap(\.references)
        where reference.hasPrefix(root) && !known.contains(reference) && !reference.contains(":deps-") {
            do {
                try await engine.removeImage(reference)
            } catch let refusal as EngineClient.Refusal where refusal.status == 409 {
                logger.warning("an image without a row is in use by a container", metadata: ["image": "\(reference)"])
            }
        }
    }
}
