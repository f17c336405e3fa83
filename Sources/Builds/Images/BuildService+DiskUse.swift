import Engine
import GRDB
package import Models
import Store

extension BuildService {
    /// What this platform's images, layers and caches take, from what the engine says. It walks through all of them, so it is
    /// asked once at a time, and its answer holds for some seconds.
    package func diskUse() async throws(MoorError) -> DiskUse {
        if let known = upkeep.diskUse, known.isFresh { return try await Self.value(of: known.asked) }
        let asked = Task { try await measureDiskUse() }
        upkeep.diskUse = .init(asked: asked)
        defer { if upkeep.diskUse?.asked == asked { upkeep.diskUse?.endedAt = .now } }
        return try await Self.value(of: asked)
    }

    private static func value(of asked: Task<DiskUse, any Error>) async throws(MoorError) -> DiskUse {
        do { return try await asked.value } catch { throw BuildRun.forPeople(error) }
    }

    private func measureDiskUse() async throws -> DiskUse {
        let sizes = try await engine.volumeSizes()
        let names = try await store.read { db in
            Dictionary(uniqueKeysWithValues: try AppRecord.fetchAll(db).compactMap { app in app.id.map { ($0, app.name) } })
        }
        var use = Self.diskUse(of: try await forest(), platformID: configuration.platformID)
        for (volume, size) in sizes {
            guard let name = ImageNames.app(ofCache: volume, configuration.platformID).flatMap({ names[$0] }) else { continue }
            use.apps[name, default: .init()].cacheBytes += size
        }
        return use
    }

    static func diskUse(of forest: ImageForest, platformID: String) -> DiskUse {
        var use = DiskUse()
        var shared: [AppName: Set<[String]>] = [:]
        var counted: Set<[String]> = []
        // What everybody stands on is nobody's own: bases and shared layers.
        let common = forest.nodes.filter { node in
            node.references.contains { $0.hasPrefix(ImageNames.base + ":") || $0.hasPrefix(ImageNames.shared(platformID) + ":") }
        }
        for node in forest.nodes {
            let apps = Set(node.references.compactMap { ImageNames.app(of: $0, platformID) })
            for app in apps {
                shared[app, default: []].formUnion(common.filter(node.stands).map(\.layers))
                let isLayer = node.references.contains { ImageNames.app(of: $0, platformID) == app && ImageNames.isLayer($0) }
                if isLayer { use.apps[app, default: .init()].layers += 1 } else { use.apps[app, default: .init()].images += 1 }
                // Two builds may have come to the very same layers.
                guard counted.insert(node.layers).inserted else { continue }
                let bytes = forest.bytes(of: node)
                if isLayer { use.apps[app]?.layerBytes += bytes } else { use.apps[app]?.imageBytes += bytes }
            }
        }
        // A base that no image of ours stands on counts only where it is ours to keep: it does, as it was made for us.
        use.sharedBytes = common.reduce(0) { $0 + forest.bytes(of: $1) }
        for (app, layers) in shared {
            use.apps[app]?.sharedBytes = common.filter { layers.contains($0.layers) }.reduce(0) { $0 + forest.bytes(of: $1) }
        }
        return use
    }
}
