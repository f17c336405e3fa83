import Engine
import Foundation
import Models

extension BuildRun {
    /// Gives the repository's own Dockerfile to the engine's builder.
    ///
    /// Its layers are the engine's to keep, so the next build of the same app is as fast as the engine can make it. Build
    /// config is not given to it: arguments stay in an image's history.
    func makeOfDockerfile() async throws -> EngineImage {
        // So that an app may stand on the platform's own base, also where no registry can be reached.
        try await engine.tagImage(base.id, repository: ImageNames.base, tag: "latest")
        let limits = configuration.limits
        let group = BuildControlGroup(platformID: configuration.platformID, buildID: buildID)
        let reference = "\(repository):\(buildID)"
        // Its name keeps the engine's layers for the next build, and is collected as other layers are.
        let made = "\(repository):deps-dockerfile"
        let earlier = try await engine.image(made)?.id
        var build = ImageBuild(
            dockerfile: plan.detection.rule.files[0], reference: made, arguments: BuildEnvironment.proxyVariables(),
            cpuMillis: limits.cpuMillis, memoryBytes: limits.memoryBytes, rlimits: BuildEnvironment.rlimits(),
            controlGroup: "/\(group.name)", network: try await network(),
            certificates: configuration.caBundle.map { ($0, BuildEnvironment.certificates) })
        let steps = DockerfileSteps(voice)
        let context = source.tar(prefix: "", extra: [])
        do {
            try await Self.endingRuns(of: group) { [engine, build] in
                try await engine.buildImage(build, context: context, deadline: .seconds(limits.wallSeconds + 60)) { await steps.hear($0) }
            }
        } catch let failure as EngineClient.BuildFailure {
            await steps.finish()
            throw await steps.error(failure.message, file: build.dockerfile, limits)
        }
        await steps.finish()
        // Labels given to the build itself would be a layer each, and among the pusher's steps.
        build.dockerfile = "Dockerfile"
        build.reference = reference
        let file = TarFile(path: build.dockerfile, contents: Array("FROM \(made)\nLABEL \(Self.instruction(labels))\n".utf8))
        let labelled = AsyncStream<[UInt8]> {
            $0.yield(TarArchive.bytes(of: [file]))
            $0.finish()
        }
        try await engine.buildImage(build, context: labelled, deadline: .seconds(60)) { _ in }
        if let earlier, try await engine.image(made)?.id != earlier {
            // Refused where an image of a release stands on it.
            try? await engine.removeImage(earlier)
        }
        guard var image = try await engine.image(reference) else {
            throw MoorError(.unavailable, "the engine lost the image it just made", hint: "push again")
        }
        image.references = [reference]
        return image
    }

    private static func instruction(_ labels: [String: String]) -> String {
        func quoted(_ text: String) -> String {
            "\"" + text.flatMap { "\"\\$".contains($0) ? ["\\", $0] : [$0] } + "\""
        }
        return labels.sorted { $0.key < $1.key }.map { "\(quoted($0.key))=\(quoted($0.value))" }.joined(separator: " ")
    }

    /// Runs a build that leaves nothing running: where the task is cancelled, what the build runs is killed until the engine
    /// gives up, which takes its own containers away; cutting it off would leave them.
    private static func endingRuns(of group: BuildControlGroup, _ build: @escaping @Sendable () async throws -> Void) async throws {
        let (cancelled, cancel) = AsyncStream.makeStream(of: Void.self)
        let building = Task { try await build() }
        let ending = Task {
            guard await cancelled.first(where: { _ in true }) != nil else { return }
            // Each step's command dies; a step that runs none, such as a large download, is cut off at the end.
            for _ in 0..<100 {
                group.end()
                do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
            }
            building.cancel()
        }
        let result = await withTaskCancellationHandler {
            await building.result
        } onCancel: {
            cancel.yield()
        }
        ending.cancel()
        await ending.value
        group.end()
        group.remove()
        try Task.checkCancellation()
        try result.get()
    }

    /// What the built image changes in what was planned: the port it says it listens on, and whether it can be run at all.
    func formation(of image: EngineImage) async throws -> Formation {
        var formation = plan.reading.formation
        guard plan.detection.buildpack.kind == .dockerfile, let reference = image.references.first else { return formation }
        let settings = try await engine.imageSettings(reference)
        guard let index = formation.firstIndex(where: \.isWeb) else { return formation }
        if formation[index].command.isEmpty, !settings.runs {
            throw MoorError(
                .appFailed, "the image says nothing that could be run: \(plan.detection.rule.files[0]) has no CMD and no ENTRYPOINT",
                hint: "add one, such as CMD [\"python\", \"app.py\"], or a Procfile")
        }
        if !settings.ports.contains(webPort), let port = settings.ports.first {
            formation[index].port = port
            await voice.say("the image exposes port \(port): requests go there, and PORT is \(port)")
        }
        let name = settings.user.split(separator: ":").first.map(String.init) ?? ""
        if name.isEmpty || name == "root" || Int(name) == 0 {
            await voice.say("the image's user is root: its replicas run as user 10001, who owns none of its files and has no privileges")
        }
        return formation
    }
}

/// What the builder writes, as lines, with the step it is at.
actor DockerfileSteps {
    private let voice: BuildVoice
    private var lines: LogLines
    /// "step 2 (RUN pip install …)"; nil before the first.
    private var step: String?

    init(_ voice: BuildVoice) {
        self.voice = voice
        lines = LogLines(mask: voice.mask)
    }

    func hear(_ text: String) async {
        for line in lines.read(text.utf8) { await take(line) }
    }

    func finish() async {
        if let line = lines.finish() { await take(line) }
    }

    /// Podman: "STEP 2/5: RUN …", with "[1/2] " before it where there are several stages; Docker: "Step 2/5 : RUN …".
    private func take(_ line: String) async {
        let isStep = { (text: Substring) in text.allSatisfy { "[]/0123456789 ".contains($0) } }
        if let start = line.range(of: "STEP ", options: .caseInsensitive), isStep(line[..<start.lowerBound]),
            let colon = line[start.upperBound...].firstIndex(of: ":")
        {
            let instruction = line[line.index(after: colon)...].trimmed
            let number = line[start.upperBound..<colon].prefix(while: \.isNumber)
            step = "step \(number) (\(instruction.prefix(160)))"
        }
        await voice.output(line)
    }

    /// What the builder's last words mean to the pusher.
    func error(_ message: String, file: String, _ limits: BuildsConfiguration.Limits) async -> MoorError {
        if message.contains("no space left on device") { return BuildRun.diskFull }
        let tail = await voice.kept.tail
        let text = message.replacingOccurrences(of: "\n", with: " ").trimmed
        let place = "\(file): " + (step.map { "\($0) " } ?? "")
        func failed(_ what: String, _ hint: String) -> MoorError { MoorError(.appFailed, place + what, hint: hint, detail: tail) }
        func rest(after mark: String) -> String? { text.range(of: mark).map { String(text[$0.upperBound...]).trimmed } }
        if let code = rest(after: "exit status ")?.prefix(while: \.isNumber) ?? rest(after: "non-zero code: ")?.prefix(while: \.isNumber) {
            if code == "137" {
                return failed(
                    "was killed: it ran out of the build's \(limits.memoryBytes >> 20) MiB of memory",
                    "make it need less, or ask the platform's admin for more")
            }
            return failed("failed with exit code \(code)", "the lines above are what it wrote")
        }
        if text.contains("pinging container registry") || text.contains("initializing source") || text.contains("pull access denied") {
            return failed(
                "names an image that could not be fetched: \(text.suffix(200))",
                "check its name; FROM localhost/moor-base stands on the platform's own, with Python and uv")
        }
        if let word = rest(after: "Unknown instruction: ")?.split(separator: " ").first {
            return failed("begins with \(word), which is no instruction", "see the reference of Dockerfiles")
        }
        return failed("failed: \((rest(after: "\": ") ?? text).prefix(300))", "the lines above say how far it came")
    }
}
