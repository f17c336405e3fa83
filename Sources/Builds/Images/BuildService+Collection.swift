import Engine
import Foundation
import GRDB
import Logging
import Models
import Store

/// Layers and caches go by policy, and the names of others are never touched:
///
/// - A dependency layer, shared or not, stays while an image stands on it, while a build uses it, and while it is that of
///   the newest build of an app.
/// - A base image that is not today's stays while anything stands on it, and on an engine that other programs use.
/// - Caches of apps that are gone go. Of the others, the least recently used go until the rest is below `cacheLimit`; never
///   one that a build uses.
///
/// What goes is derived from engine and rows each time, so that a crash leaves nothing behind that the next run does not see.
extension BuildService {
    /// Has a collection run soon; several wishes become one.
    func collectSoon() {
        guard !upkeep.isStopping else { return }
        if upkeep.collection != nil {
            upkeep.mustCollectAgain = true
            return
        }
        upkeep.collection = Task {
            repeat {
                upkeep.mustCollectAgain = false
                do {
                    try await collect()
                } catch {
                    if upkeep.isStopping { break }
                    logger.warning("layers could not be collected; the next build tries again", metadata: ["cause": "\(error)"])
                }
            } while upkeep.mustCollectAgain && !upkeep.isStopping
            upkeep.collection = nil
        }
    }

    /// Takes what an app leaves whose row is gone: its layers and its cache. What cannot go now goes with a later collection.
    package func appRemoved() async {
        do {
            try await collectLayers()
            try await collectCachesOfNobody()
        } catch {
            logger.warning("what an app left stays for now", metadata: ["cause": "\(error)"])
            collectSoon()
        }
    }

    /// Returns when no collection is under way.
    package func settle() async {
        while let collection = upkeep.collection { await collection.value }
    }

    /// Ends what is under way beside builds; the next start goes on with it.
    package func stop() async {
        upkeep.isStopping = true
        upkeep.collection?.cancel()
        await settle()
    }

    /// Keeps the names from being collected while the body runs, which begins once no removal of them is under way.
    func using<T>(_ names: [String], _ body: () async throws -> T) async throws -> T {
        for name in names { upkeep.uses[name, default: 0] += 1 }
        defer {
            for name in names {
                let left = (upkeep.uses[name] ?? 1) - 1
                upkeep.uses[name] = left == 0 ? nil : left
            }
            if upkeep.isDue {
                upkeep.isDue = false
                collectSoon()
            }
        }
        for name in names { await upkeep.removals[name]?.value }
        return try await body()
    }

    func collect() async throws {
        try await collectLayers()
        try await collectBases()
        try await collectCaches()
        try await store.write { db in
            try db.execute(
                sql: """
                    DELETE FROM inventories WHERE layerID NOT IN (SELECT layerID FROM builds WHERE layerID IS NOT NULL)
                        AND layerID NOT IN (SELECT digest FROM images)
                    """)
        }
    }

    private func collectLayers() async throws {
        let platformID = configuration.platformID
        let newest = try await store.read { db in
            try String.fetchSet(
                db,
                sql: """
                    SELECT layer FROM builds WHERE layer IS NOT NULL AND id IN (
                        SELECT max(builds.id) FROM builds JOIN pushes ON pushes.id = builds.pushID JOIN apps ON apps.id = pushes.appID
                        WHERE builds.layerID IS NOT NULL AND apps.deletingAt IS NULL GROUP BY pushes.appID)
                    """)
        }
        let forest = try await forest()
        let kept = newest.union(upkeep.uses.keys)
        for name in forest.unneeded({ ImageNames.isOurs($0, platformID) && ImageNames.isLayer($0) }, kept: kept) {
            await remove(name, "layer") { engine in try await engine.removeImage(name) }
        }
    }

    private func collectBases() async throws {
        // Elsewhere another platform of another version may be about to build on it.
        guard configuration.engineTemporaryFolder != nil else { return }
        let prefix = ImageNames.base + ":"
        let wanted = BaseImage(configuration: configuration).reference
        let forest = try await forest()
        for name in forest.unneeded({ $0.hasPrefix(prefix) && $0 != wanted }, kept: []) where name != configuration.baseImage {
            await remove(name, "base image") { engine in try await engine.removeImage(name) }
        }
    }

    private func collectCaches() async throws {
        let lastUse = try await collectCachesOfNobody()
        func use(_ name: String) -> Double? { ImageNames.app(ofCache: name, configuration.platformID).flatMap { lastUse[$0] } }
        guard !lastUse.isEmpty else { return }
        let sizes = try await engine.volumeSizes().filter { use($0.key) != nil }
        var total = sizes.values.reduce(0, +)
        for (name, size) in sizes.sorted(by: { (use($0.key) ?? 0, $0.key) < (use($1.key) ?? 0, $1.key) })
        where total > configuration.cacheLimit {
            if await removeCache(name) { total -= size }
        }
    }

    /// - Returns: of each app that is there, when a build used its cache last (seconds since 1970).
    @discardableResult
    private func collectCachesOfNobody() async throws -> [AppID: Double] {
        let caches = try await engine.volumeNames().filter { ImageNames.app(ofCache: $0, configuration.platformID) != nil }
        // Asked after the engine, so that no cache of an app that was made meanwhile looks like nobody's.
        let lastUse = try await store.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT apps.id AS id, max(builds.startedAt) AS at FROM apps
                    LEFT JOIN pushes ON pushes.appID = apps.id LEFT JOIN builds ON builds.pushID = pushes.id GROUP BY apps.id
                    """)
            return Dictionary(uniqueKeysWithValues: rows.map { row in (row["id"] as AppID, row["at"] as Double? ?? 0) })
        }
        for name in caches where ImageNames.app(ofCache: name, configuration.platformID).flatMap({ lastUse[$0] }) == nil {
            await removeCache(name)
        }
        return lastUse
    }

    @discardableResult
    private func removeCache(_ name: String) async -> Bool {
        await remove(name, "cache") { engine in try await engine.removeVolume(name) }
    }

    /// - Returns: whether it is gone.
    @discardableResult
    private func remove(_ name: String, _ what: String, _ work: @escaping @Sendable (EngineClient) async throws -> Void) async -> Bool {
        if let removal = upkeep.removals[name] { await removal.value }
        guard upkeep.uses[name] == nil, upkeep.removals[name] == nil else { return false }
        let (engine, logger) = (engine, logger)
        let task = Task {
            do {
                try await work(engine)
                logger.info("collected", metadata: ["what": "\(what)", "name": "\(name)"])
                return true
            } catch let refusal as EngineClient.Refusal where refusal.status == 409 {
                return false
            } catch {
                logger.warning("could not be collected", metadata: ["what": "\(what)", "name": "\(name)", "cause": "\(error)"])
                return false
            }
        }
        upkeep.removals[name] = Task { _ = await task.value }
        let isGone = await task.value
        upkeep.removals[name] = nil
        return isGone
    }
}
