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

    var repository: String { ImageNames.repository(configuration.platformID, push.app) }

    /// Equal for builds of the same tree that would give the same image.
    var planLabel: String { Self.hash(plan.digest, base.id) }

    /// Makes the image within the wall time; whatever happens, no container of it is left.
    func make() async throws -> EngineImage {
        let seconds = configuration.limits.wallSeconds
        let outcome: Result<EngineImage, any Error>
        do {
            outcome = .success(
                try await withThrowingTaskGroup(of: EngineImage.self) { group in
                    group.addTask { try await makeInTime() }
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

    private func makeInTime() async throws -> EngineImage {
        let containerfile = try Containerfile(
            plan.detection.buildpack.template, values: plan.values.merging(["base": base.id]) { $1 }, pack: plan.detection.buildpack.id)
        guard containerfile.stages.count == 2 else {
            throw MoorError(.unavailable, "the buildpack \(plan.detection.buildpack.id) is broken: its Containerfile needs two stages")
        }
        let layer = "deps-\(Self.hash(plan.dependencyKey, base.id).prefix(24))"
        let dependencies = "\(repository):\(layer)"
        if try await engine.image(dependencies) == nil {
            await voice.say("installing packages")
            let clock = ContinuousClock.now
            _ = try await stage(
                containerfile.stages[0], image: base.id, part: "packages",
                copy: { (container: String) in try await copyDependencies(container) },
                tag: layer, labels: [:])
            await voice.say("packages installed in \(Self.seconds(since: clock))")
        } else {
            await voice.say("packages are unchanged: using their layer again")
        }
        let id = try await stage(
            containerfile.stages[1], image: dependencies, part: "app", copy: { (container: String) in try await copyApp(container) },
            tag: "\(buildID)",
            labels: [
                "moor.platform": configuration.platformID, "moor.app": "\(push.appID)", "moor.app-name": push.app.rawValue,
                "moor.build": "\(buildID)", "moor.plan": planLabel,
            ])
        let reference = "\(repository):\(buildID)"
        guard var image = try await engine.image(reference) else {
            throw MoorError(.unavailable, "the engine lost the image it just made", hint: "push again")
        }
        image.id = id
        image.references = [reference]
        return image
    }

    private func stage(
        _ stage: Containerfile.Stage, image: String, part: String, copy: (String) async throws -> Void, tag: String,
        labels: [String: String]
    ) async throws -> String {
        let limits = configuration.limits
        let caches = Set(stage.commands.flatMap(\.caches)).sorted()
        var binds = caches.map { "\(ImageNames.cache(configuration.platformID, push.app)):\($0)" }
        if let bundle = configuration.caBundle, !stage.commands.isEmpty { binds.append("\(bundle):\(BuildEnvironment.certificates):ro") }
        let name = "\(ImageNames.containerPrefix(configuration.platformID))\(buildID)-\(part)"
        let container = try await engine.createBuildContainer(
            BuildContainer(
                // Its main process only waits, and ends by itself should nobody be left to remove it.
                name: name, image: image, command: ["sleep", "\(limits.wallSeconds + 60)"], user: stage.user,
                workingDirectory: stage.workingDirectory, environment: stage.environment, binds: binds, cpuMillis: limits.cpuMillis,
                memoryBytes: limits.memoryBytes, pids: limits.pids, rlimits: BuildEnvironment.rlimits(), runs: !stage.commands.isEmpty))
        try await copy(container)
        if !stage.commands.isEmpty {
            try await engine.startBuildContainer(container)
            for command in stage.commands { try await execute(command, in: container) }
        }
        let id = try await engine.commit(container, repository: repository, tag: tag, labels: labels)
        try await engine.removeBuildContainer(container)
        return id
    }

    private func execute(_ run: Containerfile.Run, in container: String) async throws {
        let command = BuildCommand(
            arguments: ["/bin/sh", "-c", run.command], user: run.user, environment: BuildEnvironment.variables(configuration))
        var lines = LogLines()
        let code = try await engine.execute(command, in: container, deadline: .seconds(configuration.limits.wallSeconds + 30)) { bytes in
            for line in lines.read(bytes) where !Self.isNoise(line) { await voice.output(line) }
        }
        if let line = lines.finish() { await voice.output(line) }
        guard code == 0 else { throw await failure(code, in: container) }
    }

    /// Lines of uv that tell a pusher nothing.
    private static func isNoise(_ line: String) -> Bool { line.hasPrefix("Using Python ") && line.contains(" environment at") }

    private func failure(_ code: Int, in container: String) async -> MoorError {
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
        if let failure = UVFailure(output, requirements: plan.requirements) {
            return MoorError(.appFailed, failure.message, hint: failure.hint, detail: tail)
        }
        return MoorError(
            .appFailed, "installing the packages failed with exit code \(code)",
            hint: "the last lines say why; the build's log has them all",
            detail: tail)
    }

    private func copyApp(_ container: String) async throws {
        try await unpack(source.tar(prefix: "app/", extra: []), into: container)
    }

    private func copyDependencies(_ container: String) async throws {
        switch plan.dependencies {
        case .wholeTree: try await copyApp(container)
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
        await Task {
            for part in ["packages", "app"] { try? await engine.removeBuildContainer(prefix + part) }
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
