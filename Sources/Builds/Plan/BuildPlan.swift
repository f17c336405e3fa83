import Crypto
import Foundation
import Models

/// Everything a build will do, decided before anything runs.
struct BuildPlan: Sendable {
    /// What the dependency layer is made from.
    enum Dependencies: Sendable {
        case files([TarFile])
        /// The packages cannot be known without all of the repository.
        case wholeTree
    }

    var detection: Detection
    var reading: FormationReading
    var requirements: Requirements
    var dependencies: Dependencies
    /// With `{{base}}` still to be filled: the base image is made only when a build needs it.
    var values: [String: String]
    /// Hex SHA-256 of everything that decides the dependency layer but the base image.
    var dependencyKey: String
    /// Hex SHA-256 of everything but the tree and the base image.
    var digest: String

    /// - Throws: `appFailed` with what is wrong with the tree.
    init(_ source: any SourceTree, packs: [Buildpack]) throws(MoorError) {
        let tree = try Tree(source)
        detection = try Detection.of(tree, among: packs)
        reading = try FormationReading(tree)
        requirements = try Self.requirements(detection.rule, tree)
        let wanted = requirements
        let missing = reading.packages.filter { !wanted.has($0) }
        values = ["install": try Self.install(detection.rule, missing)]
        dependencies = try Self.dependencies(detection.rule, requirements, tree)
        if let project = detection.rule.project, try Self.isPackage(tree) { values["project"] = project }

        var hash = SHA256()
        func add(_ bytes: some Collection<UInt8>) {
            hash.update(data: Data("\(bytes.count):".utf8))
            hash.update(data: Data(bytes))
        }
        add("moor build 1".utf8)
        add(detection.buildpack.template.utf8)
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            add(key.utf8)
            add(value.utf8)
        }
        switch dependencies {
        case .files(let files):
            for file in files {
                add(file.path.utf8)
                add([file.isExecutable ? 1 : 0])
                add(file.contents)
            }
        case .wholeTree: add(source.treeID.utf8)
        }
        dependencyKey = Self.hex(hash.finalize())
        add(reading.formation.description.utf8)
        digest = Self.hex(hash.finalize())
    }

    private static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func requirements(_ rule: Buildpack.Rule, _ tree: Tree) throws(MoorError) -> Requirements {
        switch rule.follow {
        case .requirements: return try Requirements(rule.files[0], in: tree)
        case .pyproject: return try PyProject(tree.text("pyproject.toml")).requirements
        case nil: return Requirements()
        }
    }

    private static func install(_ rule: Buildpack.Rule, _ missing: [String]) throws(MoorError) -> String {
        let place = "{{packages}}"
        var install = rule.install.replacingOccurrences(of: place, with: missing.joined(separator: " ")).trimmed
        if !missing.isEmpty, !rule.install.contains(place), let packages = rule.packages {
            install += " && " + packages.replacingOccurrences(of: place, with: missing.joined(separator: " "))
        }
        return install
    }

    private static func isPackage(_ tree: Tree) throws(MoorError) -> Bool {
        tree.has("pyproject.toml") ? try PyProject(tree.text("pyproject.toml")).isPackage : false
    }

    /// More than this is not read into memory; the whole tree, which streams, keys the layer then.
    private static let most: Int64 = 32 << 20

    private static func dependencies(_ rule: Buildpack.Rule, _ requirements: Requirements, _ tree: Tree) throws(MoorError) -> Dependencies {
        if rule.follow == .pyproject, try PyProject(tree.text("pyproject.toml")).needsWholeTree { return .wholeTree }
        if requirements.folders.contains("") { return .wholeTree }
        func inFolders(_ path: String) -> Bool { requirements.folders.contains { path.hasPrefix($0 + "/") } }
        let wanted = requirements.files.union(rule.dependencies)
        let paths = tree.paths.filter { wanted.contains($0) || inFolders($0) }.sorted()
        let bytes = paths.reduce(Int64(0)) { $0 + (tree.files[$1]?.size ?? 0) }
        if bytes > most || tree.hasOtherKinds.contains(where: inFolders) { return .wholeTree }
        var files: [TarFile] = []
        for path in paths {
            guard var contents = try tree.source.contents(of: path, limit: Int(most)) else { continue }
            // As text, so that uv reads what pip reads (UTF-16 with a mark).
            if requirements.files.contains(path), path.hasSuffix(".txt") { contents = Array(try tree.text(path).utf8) }
            files.append(TarFile(path: "app/\(path)", contents: contents, isExecutable: tree.files[path]?.kind == .executable))
        }
        return .files(files)
    }
}
