import GRDB
import Logging
import Models
import Store

/// How long replicas that get no new requests may go on.
struct DrainLimits: Sendable, Equatable {
    var requests: Duration
    var webSockets: Duration
}

extension Formation {
    func drainLimits(_ configuration: ReleasesConfiguration) -> DrainLimits {
        let times = first(where: \.isWeb)?.drain
        let requests = times?.requestSeconds.map { Duration.seconds($0) } ?? configuration.drainDeadline
        return DrainLimits(requests: requests, webSockets: Swift.max(requests, times?.webSocketSeconds.map { .seconds($0) } ?? .zero))
    }
}

extension ReleaseRows {
    func drainLimits(_ configuration: ReleasesConfiguration) -> DrainLimits { release.formation.drainLimits(configuration) }
}

extension ReleaseService {
    /// Drains the replicas of the release, then stops them, in a task of the service.
    func retire(_ old: ReleaseID?, of appID: AppID) {
        own {
            if let old { await self.drain(old, of: appID) }
            await self.prune(appID)
        }
    }

    /// Cuts the oldest short where more releases drain than may.
    func makeRoom(for change: Change) async {
        let surplus = (underWay[change.appID]?.draining.count ?? 0) - configuration.drainingReleases
        guard surplus > 0, let victims = underWay[change.appID]?.draining.prefix(surplus) else { return }
        underWay[change.appID]?.draining.removeFirst(surplus)
        for victim in victims {
            underWay[change.appID]?.wanted[victim] = nil
            let replicas = await orchestrator.replicas(of: change.appID).filter { $0.releaseID == victim }
            let endpoints = replicas.compactMap(\.endpoint)
            guard let number = replicas.first?.releaseNumber, !endpoints.isEmpty else { continue }
            let open = await traffic.drain(endpoints, .zero, true)
            await traffic.cut(endpoints)
            let text = "v\(number) stops with \(open) open, since \(configuration.drainingReleases) later releases finish theirs too"
            await change.log.line("\(text) (rollout.draining_releases)")
            logger.notice("a drain was cut short", metadata: ["app": "\(change.app)", "release": "v\(number)", "open": "\(open)"])
        }
    }

    private func drain(_ old: ReleaseID, of appID: AppID) async {
        let replicas = await orchestrator.replicas(of: appID).filter { $0.releaseID == old && $0.endpoint != nil }
        let keys = Set(replicas.map { Readiness.Expected(process: $0.process, ordinal: $0.ordinal) })
        underWay[appID]?.wanted[old] = keys
        underWay[appID]?.finishing[old] = keys
        // Its other processes have no requests to finish: they stop now.
        await applyEventually(appID)
        let rows = try? await store.read { db in try ReleaseRecord.fetchOne(db, key: old) }
        await finish(keys, of: old, appID, (rows?.formation ?? []).drainLimits(configuration))
        underWay[appID]?.draining.removeAll { $0 == old }
        underWay[appID]?.wanted[old] = nil
        underWay[appID]?.out[old] = nil
        underWay[appID]?.finishing[old] = nil
        underWay[appID]?.lingering[old] = nil
        await applyEventually(appID)
    }

    /// Ends replicas that get no new requests, each once it has finished what it has, or its time is over.
    func finish(_ keys: Set<Readiness.Expected>, of release: ReleaseID, _ appID: AppID, _ limits: DrainLimits) async {
        let replicas = await orchestrator.replicas(of: appID).filter { replica in
            replica.releaseID == release && keys.contains(.init(process: replica.process, ordinal: replica.ordinal))
        }
        let endpoints = replicas.compactMap(\.endpoint)
        let traffic = traffic
        guard limits.webSockets > limits.requests, !endpoints.isEmpty else {
            await drain(endpoints, limits)
            return await end(keys, of: release, appID)
        }
        await interruptibly { _ = await traffic.drain(endpoints, limits.requests, false) }
        let silent = keys.subtracting(replicas.filter { $0.endpoint != nil }.map { .init(process: $0.process, ordinal: $0.ordinal) })
        if !silent.isEmpty { await end(silent, of: release, appID) }
        underWay[appID]?.lingering[release, default: []].formUnion(keys.subtracting(silent))
        watchers[appID]?.yield()
        // Memory is given back replica by replica.
        await withTaskGroup(of: Void.self) { group in
            for replica in replicas {
                guard let endpoint = replica.endpoint else { continue }
                group.addTask {
                    await self.drain([endpoint], DrainLimits(requests: limits.webSockets - limits.requests, webSockets: .zero))
                    await self.end([.init(process: replica.process, ordinal: replica.ordinal)], of: release, appID)
                }
            }
        }
    }

    /// Stops those that were not put back meanwhile.
    private func end(_ keys: Set<Readiness.Expected>, of release: ReleaseID, _ appID: AppID) async {
        let ending = keys.intersection(underWay[appID]?.finishing[release] ?? [])
        guard !ending.isEmpty else { return }
        underWay[appID]?.finishing[release]?.subtract(ending)
        underWay[appID]?.lingering[release]?.subtract(ending)
        underWay[appID]?.wanted[release]?.subtract(ending)
        await applyEventually(appID)
        watchers[appID]?.yield()
    }

    /// Returns when nothing is open to the endpoints; at the deadline or when the platform stops WebSockets are closed.
    func drain(_ endpoints: [Endpoint], _ limits: DrainLimits) async {
        guard !endpoints.isEmpty else { return }
        let (traffic, deadline) = (traffic, max(limits.requests, limits.webSockets))
        await interruptibly {
            if await traffic.drain(endpoints, deadline, true) > 0 { await traffic.cut(endpoints) }
        }
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
