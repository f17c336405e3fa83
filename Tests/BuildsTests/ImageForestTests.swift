import Models
import Testing

@testable import Builds

struct `Images and what stands on what` {
    private static let root = "localhost/moor-p/"

    private static func node(_ reference: String, _ layers: String, _ size: Int64) -> ImageForest.Node {
        .init(references: [reference], layers: layers.map(String.init), size: size)
    }

    private static let forest = ImageForest(nodes: [
        node("localhost/moor-base:1", "b", 100), node("localhost/moor-p-layers:deps-a", "ba", 110),
        node("localhost/moor-p-layers:deps-x", "bx", 120), node(root + "sales:deps-1", "ba1", 210), node(root + "sales:deps-2", "b2", 150),
        node(root + "sales:7", "ba1s", 215), node(root + "sales:8", "ba1t", 217), node(root + "other:deps-3", "b3", 140),
        node(root + "other:9", "b3o", 141), node("example.com/foreign:1", "bx", 120),
    ])

    private func unneeded(_ forest: ImageForest, kept: Set<String> = []) -> [String] {
        forest.unneeded({ ImageNames.isOurs($0, "p") && ImageNames.isLayer($0) }, kept: kept)
    }

    @Test func `a layer that an image stands on stays, another's image too`() {
        #expect(unneeded(Self.forest) == [Self.root + "sales:deps-2"])
        #expect(unneeded(Self.forest, kept: [Self.root + "sales:deps-2"]).isEmpty)
    }

    @Test func `what only unneeded layers stand on goes with them, the top first`() {
        var forest = Self.forest
        forest.nodes.removeAll { ["\(Self.root)sales:7", "\(Self.root)sales:8"].contains($0.references[0]) }
        #expect(unneeded(forest) == ["\(Self.root)sales:deps-1", "localhost/moor-p-layers:deps-a", "\(Self.root)sales:deps-2"])
        #expect(unneeded(forest, kept: ["\(Self.root)sales:deps-1"]) == ["\(Self.root)sales:deps-2"])
    }

    @Test func `an old base goes when nothing stands on it`() {
        let bases = ImageForest(nodes: [
            Self.node("localhost/moor-base:1", "b", 100), Self.node("localhost/moor-base:2", "c", 100),
            Self.node("localhost/moor-base:3", "d", 100), Self.node("x", "cx", 100),
        ])
        #expect(
            bases.unneeded({ $0.hasPrefix("localhost/moor-base:") && $0 != "localhost/moor-base:1" }, kept: []) == ["localhost/moor-base:3"]
        )
    }

    @Test func `bytes are counted once, and to those whose they are`() throws {
        let use = BuildService.diskUse(of: Self.forest, platformID: "p")
        let sales = try #require(use.apps[AppName(rawValue: "sales")!])
        #expect(sales.images == 2 && sales.imageBytes == 12)
        #expect(sales.layers == 2 && sales.layerBytes == 150)
        #expect(sales.sharedBytes == 110)
        let other = try #require(use.apps[AppName(rawValue: "other")!])
        #expect(other.imageBytes == 1 && other.layerBytes == 40 && other.sharedBytes == 100)
        #expect(use.sharedBytes == 130)
        #expect(use.totalBytes == 130 + 162 + 41)
        #expect(use.apps.count == 2)
    }
}

struct `Names in the engine` {
    @Test(arguments: [
        ("localhost/moor-p/sales:7", true, "sales"), ("localhost/moor-p/sales:deps-7", true, "sales"),
        ("localhost/moor-p-layers:deps-7", true, nil), ("localhost/moor-pq/sales:7", false, nil), ("localhost/moor-base:1", false, nil),
        ("example.com/moor-p/sales:1", false, nil),
    ])
    func `tell ours from another's`(_ reference: String, _ isOurs: Bool, _ app: String?) {
        #expect(ImageNames.isOurs(reference, "p") == isOurs)
        #expect(ImageNames.app(of: reference, "p")?.rawValue == app)
    }
}
