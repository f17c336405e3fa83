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
    /// What moor.yaml says; nil where there is none.
    var spec: AppSpec?
    /// What the files that name the app's Python packages say.
    var python: PythonPlan
    var requirements: Requirements { python.requirements }
    var dependencies: Dependencies
    /// What stands in place of the Containerfile's placeholders.
    var values: [String: String]
    /// "NAME=value", what of the platform's configuration the buildpack asks for.
    var settings: [String]
    var gpu: GPUNeed
    /// The overlay that `gpu` puts over the buildpack; nil where there is none or it is not wanted.
    var overlay: Buildpack?
    /// Said to the pusher before anything runs.
    var notes: [String]
    /// In the order they are made, the last one being the app.
    var stages: [Stage]
    /// Hex SHA-256 of everything but the tree and the base image.
    var digest: String

    struct Stage: Sendable {
        var stage: Containerfile.Stage
        /// Hex SHA-256 of what makes this layer out of those below it, the base image aside. The app's own names no tree.
        var key: String
        /// How the layer is made of an earlier one for other dependencies, where the buildpack says how.
        var update: Update?
    }

    struct Update: Sendable {
        var stage: Containerfile.Stage
        /// Equal for layers that one can be made of the other.
        var family: String
    }

    /// - Throws: `appFailed` with what is wrong with the tree.
    init(_ source: any SourceTree, packs: [Buildpack], settings given: [String: String] = [:]) throws(MoorError) {
        let tree = try Tree(source)
        spec = tree.has(AppSpec.file) ? try AppSpec(try tree.text(AppSpec.file)) : nil
        detection = try Detection.of(tree, among: packs, wanted: spec?.buildpack)
        let (pack, rule) = (detection.buildpack, detection.rule)
        reading = try FormationReading(tree, spec: spec, pack: pack)
        settings = pack.settings.compactMap { key in
            given[key].map { "MOOR_\(key.uppercased().replacingOccurrences(of: ".", with: "_"))=\($0)" }
        }
        python = try PythonPlan(rule, tree)
        let gpuPack = packs.first { $0.kind == .overlay }
        gpu = try GPUNeed(&reading, spec, python.requirements, table: gpuPack?.needs ?? [], tree: tree)
        overlay = gpu.isWanted ? gpuPack : nil
        dependencies = try Self.dependencies(rule, python, tree)
        notes = detection.notes + python.notes + reading.notes + Self.notes(gpu)

        let wanted = python.requirements
        let missing = wanted.flags + reading.packages.filter { !wanted.has(Requirements.name(of: $0) ?? $0) }
        let debian = Set(pack.apt + python.debian).union(try DebianPackages.read(tree)).sorted()
        let before = gpu.isDeclined ? gpuPack?.declined.map { $0 + "; " } ?? "" : ""
        values = ["install": before + Self.command(rule.install, rule, missing), "apt": debian.joined(separator: " ")]
        values["python"] = python.python?.argument ?? "3"
        if let project = rule.project, python.isPackage { values["project"] = project }
        if let predeploy = reading.predeploy {
            values["predeploy"] = predeploy
            if !pack.template.contains("{{predeploy}}") {
                notes.append("\(AppJSON.file)'s predeploy is not run: the buildpack \(pack.id) has no place for it")
            }
        }

        stages = []
        var key = SHA256()
        key.add("moor build 2".utf8)
        var updating = values
        updating["install"] = before + Self.command(rule.update, rule, missing)
        if pack.kind == .dockerfile {
            key.add(rule.files[0].utf8)
            key.add(reading.formation.description.utf8)
            digest = Self.hex(key.finalize())
            return
        }
        let updates = try Containerfile(pack.template, values: updating, pack: pack.id).stages
        for stage in try Containerfile(pack.template, values: values, pack: pack.id).stages {
            var stage = stage
            if stage.name.isEmpty { stage.environment += overlay?.environment ?? [] }
            var update: Update?
            if stage.copies == [.dependencies], rule.update != nil, case .files = dependencies,
                let other = updates.first(where: { $0.name == stage.name })
            {
                var family = key
                family.add(other, pack: pack)
                update = Update(stage: other, family: Self.hex(family.finalize()))
            }
            key.add(stage, pack: pack)
            if stage.copies.contains(.dependencies) {
                key.add(dependencies, source)
                for setting in settings { key.add(setting.utf8) }
            }
            stages.append(Stage(stage: stage, key: Self.hex(key.finalize()), update: update))
        }
        key.add(reading.formation.description.utf8)
        digest = Self.hex(key.finalize())
    }

    private static func notes(_ gpu: GPUNeed) -> [String] {
        if gpu.isDeclined { return ["moor.yaml asks for no GPU: packages are installed for CPUs where there is such a variant"] }
        guard gpu.isWanted else { return [] }
        let reason = gpu.package.map { ", because \($0)" } ?? ", as moor.yaml asks"
        return [
            "buildpack gpu on top: each replica gets \(gpu.count) GPU\(gpu.count == 1 ? "" : "s")\(gpu.isOptional ? " where there is one" : "")\(reason)"
        ]
    }

    /// - Parameter available: GPUs of the host.
    /// - Throws: `appFailed` where the app cannot run on it.
    func requireGPUs(available: Int) throws(MoorError) {
        guard gpu.count > available, !gpu.isOptional else { return }
        let wanted = "\(gpu.count) GPU\(gpu.count == 1 ? "" : "s")"
        throw MoorError(
            .appFailed, "this app needs \(wanted); this host has \(available == 0 ? "none" : "\(available)")",
            hint: "in moor.yaml, write “gpu: optional” under the process's resources to run without, or “gpu: 0” to install for CPUs"
                + (gpu.package.map { " (\($0))" } ?? ""))
    }

    static func hex(_ digest: SHA256.Digest) -> String {
        digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func command(_ written: String?, _ rule: Buildpack.Rule, _ missing: [String]) -> String {
        guard let written else { return "" }
        let place = "{{packages}}"
        // Extras are in brackets, which a shell would look for files with.
        let missing = missing.map { $0.contains("[") ? "'\($0)'" : $0 }
        var command = written.replacingOccurrences(of: place, with: missing.joined(separator: " ")).trimmed
        if !missing.isEmpty, !written.contains(place), let packages = rule.packages {
            command += " && " + packages.replacingOccurrences(of: place, with: missing.joined(separator: " "))
        }
        return command
    }

    /// More than this is not read into memory; the whole tree, which streams, keys the layer then.
    private static let most: Int64 = 32 << 20

    private static func dependencies(_ rule: Buildpack.Rule, _ python: PythonPlan, _ tree: Tree) throws(MoorError) -> Dependencies {
        let requirements = python.requirements
        if python.needsWholeTree { return .wholeTree }
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
            if requirements.files.contains(path), path.hasSuffix(".txt") { contents = Array(Requirements.forUV(try tree.text(path)).utf8) }
            files.append(TarFile(path: "app/\(path)", contents: contents, isExecutable: tree.files[path]?.kind == .executable))
        }
        return .files(files + python.made)
    }
}

extension SHA256 {
    /// With its length, so that no two lists of values give the same bytes.
    fileprivate mutating func add(_ bytes: some Collection<UInt8>) {
        update(data: Data("\(bytes.count):".utf8))
        update(data: Data(bytes))
    }

    fileprivate mutating func add(_ stage: Containerfile.Stage, pack: Buildpack) {
        for word in stage.environment + [stage.workingDirectory ?? "", stage.user ?? ""] { add(word.utf8) }
        for run in stage.commands {
            add(run.command.utf8)
            add(run.user.utf8)
            if run.packFolder != nil { add(pack.digest.utf8) }
        }
    }

    fileprivate mutating func add(_ dependencies: BuildPlan.Dependencies, _ source: any SourceTree) {
        switch dependencies {
        case .files(let files):
            for file in files {
                add(file.path.utf8)
                add([file.isExecutable ? 1 : 0])
                add(file.contents)
            }
        case .wholeTree: add(source.treeID.utf8)
        }
    }
}
