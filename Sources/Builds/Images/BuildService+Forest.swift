import Engine

extension BuildService {
    /// Every named image of the engine with its layers. What was asked once is remembered: an image never changes.
    func forest() async throws -> ImageForest {
        var nodes: [ImageForest.Node] = []
        let listed = try await engine.images()
        for image in listed where !image.references.isEmpty {
            let layers: [String]
            if let known = upkeep.layers[image.id] {
                layers = known
            } else {
                // One that went away since is none.
                guard let found = try await engine.image(image.id) else { continue }
                layers = found.layers
                upkeep.layers[image.id] = layers
            }
            nodes.append(.init(references: image.references, layers: layers, size: image.size))
        }
        let ids = Set(listed.map(\.id))
        upkeep.layers = upkeep.layers.filter { ids.contains($0.key) }
        return ImageForest(nodes: nodes)
    }
}
