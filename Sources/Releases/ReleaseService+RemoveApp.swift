import GRDB
import Logging
package import Models
import Store

extension ReleaseService {
    /// Removes the app: traffic, replicas, what lives outside the rows, images, and last its rows.
    ///
    /// Its row is marked first, so that a removal that is broken off is taken up again by `resume` or another call. A
    /// rollout that is under way is broken off.
    package func removeApp(_ appID: AppID) async throws(MoorError) {
        let record = try await app(appID, includesDeleting: true)
        try await store.write { db in
            try db.execute(sql: "UPDATE apps SET deletingAt = coalesce(deletingAt, ?) WHERE id = ?", arguments: [now(), appID])
        }
        if changes[appID] != nil { stopChange(of: appID, MoorError(.conflict, "\(record.name) is being deleted")) }
        try await exclusively(appID, log: .discard, includesDeleting: true) { (change) async throws(MoorError) -> Void in
            try change.point.pass()
            await self.traffic.refresh()
            try await self.removeReplicas(of: record, appID)
            try await self.removeSource(record)
            let images = try await self.store.read { db in try Self.imagesOfAppAlone(appID, db) }
            if !images.isEmpty { try await self.removeImages(images) }
            try await self.store.write { db in
                // The two rows name each other; the rest goes with the app's by the schema.
                try db.execute(sql: "UPDATE apps SET liveReleaseID = NULL WHERE id = ?", arguments: [appID])
                try db.execute(sql: "DELETE FROM apps WHERE id = ?", arguments: [appID])
            }
            await self.forget(appID)
            self.logger.info("app removed", metadata: ["app": "\(record.name)"])
        }
    }

    private func forget(_ appID: AppID) { (underWay[appID], pauses[appID]) = (nil, nil) }

    /// In its turn among the workloads, so that none computed before follows it.
    private func removeReplicas(of app: AppRecord, _ appID: AppID) async throws(MoorError) {
        let (ticket, holds) = applying.enqueue(appID)
        if !holds { _ = await applying.wait(ticket) }
        defer { applying.release(ticket) }
        try await orchestrator.remove(appID: appID, app: app.name)
    }

    /// Images of the app, without those that are another app's too to the engine.
    private static func imagesOfAppAlone(_ appID: AppID, _ db: Database) throws -> [ImageID] {
        try ImageID.fetchAll(
            db,
            sql: """
                WITH mine AS (
                    SELECT images.id, images.digest FROM images
                    JOIN builds ON builds.id = images.buildID JOIN pushes ON pushes.id = builds.pushID
                    WHERE pushes.appID = ? AND images.removedAt IS NULL)
                SELECT id FROM mine WHERE digest NOT IN (
                    SELECT digest FROM images WHERE removedAt IS NULL AND id NOT IN (SELECT id FROM mine))
                ORDER BY id
                """, arguments: [appID])
    }
}
