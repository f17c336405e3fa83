import GRDB
import Logging
package import Models
import Store

extension ReleaseService {
    /// Picks up after a start, however the last run ended; to be called once the orchestrator knows its replicas.
    ///
    /// - Releases of pushes that were rolling fail: their pushers were told no. Where waves had taken some of the old release
    ///   already, it comes back before the new one goes, in the background.
    /// - Canaries and pauses are as they were.
    /// - Every app's workload is applied, which also stops what was left of old or failed releases.
    /// - Releases of config and rollbacks that were rolling are rolled out again, and removals that had begun go on, both
    ///   in the background (`settle` waits for them).
    /// - Throws: where the rows or the key cannot be read; what goes wrong with one app keeps no other from starting.
    package func resume() async throws(MoorError) {
        _ = try await environment()
        let (apps, lost, rolling, paused) = try await store.write { db in
            let lost = try ReleaseRecord.fetchAll(
                db,
                sql: """
                    SELECT * FROM releases WHERE state = 'rolling' AND id NOT IN (SELECT releaseID FROM canaries WHERE startedAt NOT NULL)
                        AND (cause = 'push' OR id IN (SELECT releaseID FROM canaries))
                    """)
            for release in lost {
                try db.execute(
                    sql: "UPDATE releases SET state = 'failed', failure = ? WHERE id = ?",
                    arguments: ["the platform stopped during the rollout", release.id])
                _ = try RolloutPauseRecord.deleteOne(db, key: release.appID)
            }
            try db.execute(sql: "DELETE FROM canaries WHERE startedAt IS NULL")
            return (
                try AppRecord.order(Column("id")).fetchAll(db), lost,
                try ReleaseRecord.filter(sql: "state = 'rolling' AND id NOT IN (SELECT releaseID FROM canaries)").fetchAll(db),
                try RolloutPauseRecord.fetchAll(db)
            )
        }
        pauses = Dictionary(paused.map { ($0.appID, $0) }) { $1 }
        for app in apps {
            guard let appID = app.id else { continue }
            guard app.deletingAt == nil else {
                own { await self.takeUpRemoval(of: app, appID) }
                continue
            }
            let release = rolling.first { $0.appID == appID } ?? lost.first { $0.appID == appID }
            let isInParts = await isInParts(app, beside: release)
            if !isInParts { await applyEventually(appID) }
            prune(appID)
            guard let release else { continue }
            if release.state == .rolling, rolling.contains(where: { $0.id == release.id }) {
                own { await self.takeUpRollout(of: release) }
            } else if isInParts {
                own { await self.bringBack(from: release) }
            }
        }
        logger.info("releases resumed", metadata: ["apps": "\(apps.count)", "rollouts": "\(rolling.count)"])
    }

    private func takeUpRollout(of release: ReleaseRecord) async {
        let id = release.id
        do throws(MoorError) {
            _ = try await exclusively(release.appID, log: .discard) { (change) async throws(MoorError) -> Int in
                // A change that came first has declared it failed.
                let now = try await self.store.read { db in try ReleaseRecord.filter(key: id).fetchOne(db) }
                guard let now, now.state == .rolling else { return release.number }
                return try await self.rollOut(now, as: .whole, change: change)
            }
        } catch {
            logger.error(
                "a rollout that was broken off did not succeed",
                metadata: ["app": "\(release.appID)", "release": "v\(release.number)", "error": "\(error.message)"])
        }
    }

    private func takeUpRemoval(of app: AppRecord, _ appID: AppID) async {
        do throws(MoorError) {
            try await removeApp(appID)
        } catch {
            logger.error(
                "an app was not removed; the next start tries again", metadata: ["app": "\(app.name)", "error": "\(error.message)"])
        }
    }
}
