/// Images of an engine and which stands on which: an image stands on another where its layers begin with all of the other's.
struct ImageForest: Sendable {
    struct Node: Sendable, Hashable {
        /// Its names.
        var references: [String]
        /// Digests of its layers, the lowest first.
        var layers: [String]
        /// Bytes of all of them.
        var size: Int64

        func stands(on other: Node) -> Bool { layers.count >= other.layers.count && layers.starts(with: other.layers) }
    }

    var nodes: [Node]

    /// Layers that nothing stands on any more, those on top first.
    /// - Parameters:
    ///   - isLayer: whether a name is one that may be collected.
    ///   - kept: the names that stay, whatever stands on them.
    func unneeded(_ isLayer: (String) -> Bool, kept: Set<String>) -> [String] {
        let staying = nodes.filter { node in node.references.contains { !isLayer($0) || kept.contains($0) } }
        let going = nodes.filter { node in !staying.contains { $0.stands(on: node) } }
        return going.sorted { $0.layers.count > $1.layers.count }.flatMap(\.references).filter(isLayer)
    }

    /// What a node's own layers take beyond those of the highest that it stands on.
    func bytes(of node: Node) -> Int64 {
        let below = nodes.filter { $0.layers.count < node.layers.count && !$0.layers.isEmpty && node.stands(on: $0) }
        return max(0, node.size - (below.max { $0.layers.count < $1.layers.count }?.size ?? 0))
    }
}
