import Crypto
import Engine
import Foundation
import Models

/// One build in the engine: a container for each stage, commands run inside, the result committed as an image.
///
/// Containers rather than the engine's own builder, because a builder that is cut off leaves its command running (Podman
/// 4.3), while a container is killed by its name; because limits hold on a container; and because a copy and a commit
/// take a third of the time.
struct BuildRun {
    let engine: EngineClient
    let configuration: BuildsConfiguration
    let push: ReceivedPush
    let buildID: BuildID
    let plan: BuildPlan
    let base: EngineImage
    let source: any SourceTree
    let voice: BuildVoice
    /// The app's build config.
    var values: [String: String] = [:]
    /// The network for what runs, made on first use.
    var network: @Sendable () async throws -> String = { "bridge" }

    var repository: String { ImageNames.repository(configuration.platformID, push.app) }

    /// Equal for builds of the same tree that would give the same image.
    var planLabel: String { Self.hash(plan.digest, base.id) }

    /// What the app stands on.
    struct Ground: Sendable {
        /// The topmost layer's name; nil for the base.
        var reference: String?
        var id: String
        /// What is installed in it, where it was made just now and that could be found out.
        var inventory: [InstalledPackage]?
        var isNew = false
    }

    /// Names in the engine that must not go while this runs.
    var usedNames: [String] { layers.map(\.reference) + [ImageNames.cache(configuration.platformID, push.appID)] }

    /// Makes the image within the wall time; whatever happens, no container of it is left.
    /// - Parameter stands: told what the app stands on as soon as that is there.
    func make(_ stands: @escaping @Sendable (Ground) async throws -> Void) async throws -> EngineImage {
        let seconds = configuration.limits.wallSeconds
        let outcome: Result<EngineImage, any Error>
        do {
            outcome = .success(
                try await withThrowingTaskGroup(of: EngineImage.self) { group in
                    group.addTask { try await isDockerfile ? makeOfDockerfile() : makeInTime(stands) }
                    group.addTask {
                        try await Task.sleep(for: .seconds(seconds))
                        throw MoorError(
                            .timedOut, "the build took longer than its limit of \(seconds) seconds",
                            hint: "ask for fewer packages, or for ones with ready-made wheels")
                    }
                    defer { group.cancelAll() }
                    guard let image = try await group.next() else { throw CancellationError() }
                    return image
                })
        } catch {
            outcome = .failure(error)
        }
        await cleanUp()
        return try outcome.get()
    }

    private var isDockerfile: Bool { plan.detection.buildpack.kind == .dockerfile }

    private func makeInTime(_ stands: @Sendable (Ground) async throws -> Void) async throws -> EngineImage {
        // The layers below the app are kept by what made them; the topmost that is there is all that is needed.
        let layers = layers
        var (ground, made) = (Ground(id: base.id), 0)
        for index in layers.indices.reversed() {
            guard let found = try await engine.image(layers[index].reference) else { continue }
            (ground, made) = (Ground(reference: layers[index].reference, id: found.id), index + 1)
            await voice.say("\(layers[index].contents) are unchanged: using their layer again")
            break
        }
        for layer in layers[made...] {
            await voice.say("installing \(layer.contents)")
            let clock = ContinuousClock.now
            let isTop = layer.reference == layers.last?.reference
            let made =
                if let made = try await makeOfEarlier(layer, isTop: isTop) { made } else {
                    try await make(
                        layer.stage.stage, from: ground.reference ?? ground.id, part: layer.stage.stage.name, repository: layer.repository,
                        tag: layer.tag, labels: family(layer).map { [Self.familyLabel: $0, Self.depthLabel: "0"] } ?? [:], isTop: isTop)
                }
            await voice.say("\(layer.contents) installed in \(Self.seconds(since: clock))")
            ground = Ground(reference: layer.reference, id: made.id, inventory: made.inventory, isNew: true)
        }
        try await stands(ground)
        guard let app = plan.stages.last else { throw MoorError(.internalError, "the plan has no stage for the app") }
        let (id, _) = try await make(
            app.stage, from: ground.reference ?? ground.id, part: "app", repository: repository, tag: "\(buildID)", labels: labels)
        let reference = "\(repository):\(buildID)"
        guard var result = try await engine.image(reference) else {
            throw MoorError(.unavailable, "the engine lost the image it just made", hint: "push again")
        }
        result.id = id
        result.references = [reference]
        return result
    }

    private static let familyLabel = "moor.layer.family"
    /// How many layers of other dependencies it stands on.
    private static let depthLabel = "moor.layer.depth"
    /// Each hides files of those below, which still take room.
    private static let deepest = 5

    private func family(_ layer: Layer) -> String? { layer.stage.update.map { Self.hash($0.family, base.id, "\(push.appID)") } }

    /// Makes the layer of the app's latest one for other dependencies, so that the cost is that of the change.
    /// - Returns: nil where there is none, or what it holds does not let itself be changed; then it is made anew.
    private func makeOfEarlier(_ layer: Layer, isTop: Bool) async throws -> Made? {
        guard let update = layer.stage.update, let family = family(layer) else { return nil }
        let earlier = try await engine.images().filter { image in
            image.labels[Self.familyLabel] == family && (image.labels[Self.depthLabel].flatMap(Int.init) ?? 0) < Self.deepest
                && image.references.contains { $0.hasPrefix("\(repository):deps-") }
        }
        guard let latest = earlier.max(by: { $0.createdAt < $1.createdAt }),
            let reference = latest.references.first(where: { $0.hasPrefix("\(repository):deps-") })
        else { return nil }
        let depth = (latest.labels[Self.depthLabel].flatMap(Int.init) ?? 0) + 1
        do {
            return try await make(
                update.stage, from: reference, part: layer.stage.stage.name, repository: layer.repository, tag: layer.tag,
                labels: [Self.familyLabel: family, Self.depthLabel: "\(depth)"], isTop: isTop, clearsApp: true)
        } catch let refusal as EngineClient.Refusal where refusal.status == 404 {
            // It was collected meanwhile.
            return nil
        } catch is Unexplained {
            // What is plainly the app's fault would fail again; this may not.
            await voice.say("the earlier packages could not be changed: installing them anew")
            try await engine.removeBuildContainer(containerName(layer.stage.stage.name))
            return nil
        }
    }

    /// A command failed and nothing that is known explains it.
    struct Unexplained: Error { var forPeople: MoorError }

    private func containerName(_ part: String) -> String { "\(ImageNames.containerPrefix(configuration.platformID))\(buildID)-\(part)" }

    var labels: [String: String] {
        // The pre-defined annotation keys of the OCI image specification, as labels. An image that is used again for another
        // commit of the same tree names the first.
        [
            "org.opencontainers.image.title": push.app.rawValue, "org.opencontainers.image.revision": push.commitID,
            "org.opencontainers.image.created": Date().formatted(.iso8601),
            "moor.buildpack": plan.detection.buildpack.id, "moor.buildpack-version": "\(plan.detection.buildpack.version)",
            "moor.platform": configuration.platformID, "moor.app": "\(push.appID)", "moor.app-name": push.app.rawValue,
            "moor.build": "\(buildID)", "moor.plan": planLabel,
        ]
    }

    /// A layer below the app, with the name it is kept by.
    private struct Layer {
        var stage: BuildPlan.Stage
        var repository: String
        var tag: String
        var reference: String { "\(repository):\(tag)" }
        /// For people.
        var contents: String { stage.stage.name == "apt" ? "Debian packages" : "packages" }
    }

    private var layers: [Layer] {
        plan.stages.dropLast().map { stage in
            // Debian's packages run nothing of the app's, so all apps share them.
            let isShared = stage.stage.name == "apt"
            return Layer(
                stage: stage, repository: isShared ? ImageNames.shared(configuration.platformID) : repository,
                // A later app of the same name must not find what this one's build config let it install.
                tag: "deps-\(Self.hash(stage.key, base.id, isShared ? "" : "\(push.appID)").prefix(24))")
        }
    }

    private typealias Made = (id: String, inventory: [InstalledPackage]?)

    private func make(
        _ stage: Containerfile.Stage, from image: String, part: String, repository: String, tag: String, labels: [String: String],
        isTop: Bool = false, clearsApp: Bool = false
    ) async throws -> Made {
        let limits = configuration.limits
        let caches = Set(stage.commands.flatMap(\.caches)).sorted()
        var binds = caches.map { "\(ImageNames.cache(configuration.platformID, push.appID)):\($0)" }
        for folder in Set(stage.commands.compactMap(\.packFolder)).sorted() {
            binds.append("\(plan.detection.buildpack.folder):\(folder):ro")
        }
        if let bundle = configuration.caBundle, !stage.commands.isEmpty { binds.append("\(bundle):\(BuildEnvironment.certificates):ro") }
        let name = containerName(part)
        var settings =
            BuildContainer(
                // Its main process only waits, and ends by itself should nobody be left to remove it.
                name: name, image: image, command: ["sleep", "\(limits.wallSeconds + 60)"], user: stage.user,
                workingDirectory: stage.workingDirectory, environment: stage.environment, binds: binds, cpuMillis: limits.cpuMillis,
                memoryBytes: limits.memoryBytes, pids: limits.pids, rlimits: BuildEnvironment.rlimits(), runs: !stage.commands.isEmpty)
        if settings.runs { settings.network = try await network() }
        let container = try await engine.createBuildContainer(settings)
        if clearsApp {
            try await engine.startBuildContainer(container)
            try await execute(.init(command: "find /app -mindepth 1 -delete", caches: [], user: "0"), in: container, values: [:])
        }
        for copy in stage.copies {
            switch copy {
            case .tree: try await copyApp(container)
            case .dependencies: try await copyDependencies(container)
            }
        }
        if !stage.commands.isEmpty {
            if !clearsApp { try await engine.startBuildContainer(container) }
            // What is made for every app must not depend on one app's values.
            let values = repository == self.repository ? values : [:]
            for command in stage.commands { try await execute(command, in: container, values: values) }
        }
        // What is installed is looked for while the layer is packed; a build does not fail for want of it.
        async let inventory = isTop ? try? Self.inventory(engine, container) : nil
        let id = try await engine.commit(container, repository: repository, tag: tag, labels: labels)
        let installed = await inventory
        try await engine.removeBuildContainer(container)
        return (id, installed)
    }

    private func execute(_ run: Containerfile.Run, in container: String, values: [String: String]) async throws {
        let command = BuildCommand(
            arguments: ["/bin/sh", "-c", run.command], user: run.user,
            environment: BuildEnvironment.variables(configuration, values: values) + plan.settings)
        var lines = LogLines(mask: voice.mask)
        var told = PackFailure()
        let code = try await engine.execute(command, in: container, deadline: .seconds(configuration.limits.wallSeconds + 30)) { bytes in
            for line in lines.read(bytes) where !Self.isNoise(line) && !told.take(line) { await voice.output(line) }
        }
        if let line = lines.finish(), !told.take(line) { await voice.output(line) }
        guard code != 0 else { return }
        let missing = plan.requirements.variables.filter { values[$0.name] == nil }
        throw await failure(code, told, of: run, missing: missing, in: container)
    }

    /// Lines of uv that tell a pusher nothing.
    private static func isNoise(_ line: String) -> Bool { line.hasPrefix("Using Python ") && line.contains(" environment at") }

    /// - Parameter missing: what the app's packages need to be told and the build was not.
    private func failure(
        _ code: Int, _ told: PackFailure, of run: Containerfile.Run, missing: [Requirements.Variable], in container: String
    ) async -> any Error {
        let output = await voice.kept.output
        let tail = await voice.kept.tail
        if output.suffix(40).contains(where: { $0.contains("No space left on device") }) { return Self.diskFull }
        let isKilled = code == 137 || output.suffix(5).contains { $0.contains("Killed") }
        let isOut = (try? await engine.ranOutOfMemory(container)) == true
        if isKilled || isOut {
            return MoorError(
                .appFailed, "the build ran out of its \(configuration.limits.memoryBytes >> 20) MiB of memory",
                hint: "take package versions with ready-made wheels, or ask the platform's admin for more", detail: tail)
        }
        if code == 127, output.contains(where: { $0.contains("uv: not found") }) {
            return MoorError(
                .unavailable, "the platform's base image has no uv",
                hint: "the platform's admin must use a base image that has Python 3 and uv")
        }
        if run.command == plan.reading.predeploy {
            return MoorError(
                .appFailed, "\(AppJSON.file)'s predeploy failed with exit code \(code)",
                hint: "it runs in /app after the packages are installed, as a user who may write there only", detail: tail)
        }
        if let message = told.message { return MoorError(.appFailed, message, hint: told.hint, detail: tail) }
        if run.command.contains("apt-get ") {
            let tree = try? Tree(source)
            let found = AptFailure(output) { name in tree.flatMap { DebianPackages.place(of: name, in: $0) } }
            if let found { return MoorError(.appFailed, found.message, hint: found.hint, detail: tail) }
        }
        if let variable = missing.first {
            return MoorError(
                .appFailed, "\(variable.place) needs ${\(variable.name)}, which the app's config for builds does not have",
                hint: "set it with: moor config set --build \(variable.name)=-", detail: tail)
        }
        if let failure = UVFailure(output, requirements: plan.requirements, python: plan.python.python) {
            return MoorError(.appFailed, failure.message, hint: failure.hint, detail: tail)
        }
        return Unexplained(
            forPeople: MoorError(
                .appFailed, "installing the packages failed with exit code \(code)",
                hint: "the last lines say why; the build's log has them all", detail: tail))
    }

    private func copyApp(_ container: String) async throws {
        try await unpack(source.tar(prefix: "app/", extra: []), into: container)
    }

    private func copyDependencies(_ container: String) async throws {
        switch plan.dependencies {
        case .wholeTree: try await unpack(source.tar(prefix: "app/", extra: plan.python.made), into: container)
        case .files(let files):
            let archive = TarArchive.bytes(of: files)
            try await unpack(
                AsyncStream {
                    $0.yield(archive); $0.finish()
                }, into: container)
        }
    }

    private func unpack(_ tar: some AsyncSequence<[UInt8], any Error> & Sendable, into container: String) async throws {
        try await engine.unpack(tar, into: container, deadline: .seconds(configuration.limits.wallSeconds))
    }

    private func unpack(_ tar: AsyncStream<[UInt8]>, into container: String) async throws {
        try await engine.unpack(tar, into: container, deadline: .seconds(configuration.limits.wallSeconds))
    }

    /// Removes the containers by name, so that one whose creation was cut off goes too. Must happen in a cancelled task
    /// as well, and is awaited.
    private func cleanUp() async {
        let engine = self.engine
        let prefix = "\(ImageNames.containerPrefix(configuration.platformID))\(buildID)-"
        let parts = plan.stages.dropLast().map(\.stage.name) + ["app"]
        await Task {
            for part in parts { try? await engine.removeBuildContainer(prefix + part) }
        }.value
    }

    static func hash(_ parts: String...) -> String {
        SHA256.hash(data: Data(parts.joined(separator: "\n").utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    static func seconds(since start: ContinuousClock.Instant) -> String {
        let tenths = Int((ContinuousClock.now - start) / .milliseconds(100))
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
