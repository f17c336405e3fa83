import GRDB
import Logging
import Models
import Store

extension ReleaseService {
    /// Old releases of one app that may drain at the same time; a further one cuts the oldest short.
    private static let drainLimit = 2

    /// Drains the replicas of the superseded release, then stops them, in a task of the service.
    func retire(_ old: ReleaseID?, of appID: AppID) {
        own {
            if let old { await self.drain(old, of: appID) }
            await self.prune(appID)
        }
    }

    private func drain(_ old: ReleaseID, of appID: AppID) async {
        if let surplus = underWay[appID]?.draining.count, surplus > Self.drainLimit {
            underWay[appID]?.draining.removeFirst(surplus - Self.drainLimit)
        }
        // Its other processes have no requests to finish: they stop now.
        await applyEventually(appID)
        let endpoints = await orchestrator.replicas(of: appID).filter { $0.releaseID == old }.compactMap(\.endpoint)
        await drain(endpoints)
        underWay[appID]?.draining.removeAll { $0 == old }
        await applyEventually(appID)
    }

    /// Returns when nothing is open to the endpoints, at the deadline, or when the platform stops.
    func drain(_ endpoints: [Endpoint]) async {
        guard !endpoints.isEmpty else { return }
        let (traffic, deadline) = (traffic, configuration.drainDeadline)
        await interruptibly { _ = await traffic.drain(endpoints, deadline) }
    }

    /// Removes the images that nothing can go back to, in a task of the service. One that a container still uses is tried
    /// again until it has stopped, and what the platform's stop leaves, the next start removes.
    func prune(_ appID: AppID) {
        guard pruning.insert(appID).inserted else { return }
        own { await self.removeImages(of: appID) }
    }

    private func removeImages(of appID: AppID) async {
        defer { pruning.remove(appID) }
        var delay = configuration.retryDelay
        while !isStopping {
            do throws(MoorError) {
                let images = try await removableImages(of: appID)
                guard !images.isEmpty else { return }
                try await removeImages(images)
                continue
            } catch {
                logger.debug("not every old image could be removed yet", metadata: ["app": "\(appID)", "error": "\(error.message)"])
            }
            let pause = delay
            await interruptibly { try? await Task.sleep(for: pause) }
            delay = min(delay * 2, configuration.retryDelay * 30)
        }
    }

    /// Images of older releases than are kept, of failed ones, and of builds that never became a release.
    ///
    /// An image that shares its digest with one that stays is left alone: they are one image to the engine.
    private func removableImages(of appID: AppID) async throws(MoorError) -> [ImageID] {
        let kept = max(1, configuration.keptReleases)
        return try await store.read { db in
            try ImageID.fetchAll(
                db,
                sql: """
                    WITH kept AS (
                        SELECT imageID FROM releases WHERE appID = :app AND state IN ('live', 'rolling')
                        UNION SELECT imageID FROM (
                            SELECT imageID FROM releases WHERE appID = :app AND state = 'superseded' ORDER BY number DESC LIMIT :count)
                    ), removable AS (
                        SELECT images.id, images.digest FROM images
                        JOIN builds ON builds.id = images.buildID JOIN pushes ON pushes.id = builds.pushID
                        WHERE pushes.appID = :app AND images.removedAt IS NULL AND images.id NOT IN kept
                            AND (images.id < (SELECT max(imageID) FROM releases WHERE appID = :app)
                                OR EXISTS (SELECT 1 FROM releases WHERE releases.imageID = images.id))
                    )
                    SELECT id FROM removable WHERE digest NOT IN (
                        SELECT digest FROM images WHERE removedAt IS NULL AND id NOT IN (SELECT id FROM removable))
                    ORDER BY id
                    """,
                arguments: ["app": appID, "count": kept])
        }
    }
}
