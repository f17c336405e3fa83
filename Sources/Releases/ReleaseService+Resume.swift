import GRDB
import Logging
package import Models
import Store

extension ReleaseService {
    /// Picks up after a start, however the last run ended; to be called once the orchestrator knows its replicas.
    ///
    /// - Releases of pushes that were rolling fail: their pushers were told no.
    /// - Every app's workload is applied, which also stops what was left of old or failed releases.
    /// - Releases of config and rollbacks that were rolling are rolled out again, and removals that had begun go on, both
    ///   in the background (`settle` waits for them).
    /// - Throws: where the rows or the key cannot be read; what goes wrong with one app keeps no other from starting.
    package func resume() async throws(MoorError) {
        _ = try await environment()
        let (apps, rolling) = try await store.write { db in
            try db.execute(
                sql: "UPDATE releases SET state = 'failed', failure = ? WHERE state = 'rolling' AND cause = 'push'",
                arguments: ["the platform stopped during the rollout"])
            return (try AppRecord.order(Column("id")).fetchAll(db), try ReleaseRecord.filter(Column("state") == "rolling").fetchAll(db))
        }
        for app in apps {
            guard let appID = app.id else { continue }
            guard app.deletingAt == nil else {
                own { await self.takeUpRemoval(of: app, appID) }
                continue
            }
            await applyEventually(appID)
            prune(appID)
            if let release = rolling.first(where: { $0.appID == appID }) { own { await self.takeUpRollout(of: release) } }
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
                return try await self.rollOut(now, change: change)
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
