import Engine
package import Models

extension BuildService {
    /// Makes or fetches the base image where the engine does not have it yet; a second call does nothing.
    /// - Throws: `unavailable` with the last lines of what failed.
    package func ensureBaseImage(progress: DeployLog) async throws(MoorError) { _ = try await readyBase(progress: progress) }

    func readyBase(progress: DeployLog) async throws(MoorError) -> EngineImage {
        if let base { return base }
        let task: Task<EngineImage, any Error>
        if let baseInTheMaking {
            task = baseInTheMaking
            await progress.line("waiting for the base image, which is being made")
        } else {
            // Owned by the actor and not by who asked first: a cancelled push must not take it from the others.
            let engine = self.engine
            let configuration = self.configuration
            task = Task {
                defer { self.endBaseWaits() }
                return try await Self.prepareBase(engine, configuration, progress)
            }
            baseInTheMaking = task
        }
        // Waits for the task's end or for the caller's own: a cancelled push does not stay for a base image.
        let (ending, wait) = AsyncStream.makeStream(of: Never.self)
        baseWaits.append(wait)
        for await _ in ending {}
        guard !Task.isCancelled else { throw MoorError(.cancelled, "the build was cancelled while it waited for the base image") }
        let result = await task.result
        do {
            let image = try result.get()
            base = image
            return image
        } catch {
            throw BuildRun.forPeople(error)
        }
    }

    private func endBaseWaits() {
        for wait in baseWaits { wait.finish() }
        baseWaits = []
        baseInTheMaking = nil
    }

    private static func prepareBase(
        _ engine: EngineClient, _ configuration: BuildsConfiguration, _ progress: DeployLog
    ) async throws -> EngineImage {
        let own = BaseImage(configuration: configuration)
        let reference = configuration.baseImage ?? own.reference
        if let image = try await engine.image(reference) { return image }
        if configuration.baseImage != nil {
            await progress.line("base image: fetching \(reference)")
            do {
                try await engine.pullImage(reference)
            } catch let refusal as EngineClient.Refusal {
                throw MoorError(
                    .unavailable, "the base image \(reference) could not be fetched",
                    hint: "the platform's admin must check base.image, or leave it out to have one made", cause: refusal)
            }
        } else {
            await progress.line("base image: making it from Debian's packages, which takes about a minute, this once")
            try await own.withArchive(progress: progress) { archive in
                await progress.line("base image: giving it to the container engine")
                try await engine.importImage(FileChunks(path: archive), reference: reference)
            }
            await own.removeUpload()
            await progress.line("base image: ready")
        }
        guard let image = try await engine.image(reference) else {
            throw MoorError(.unavailable, "the container engine lost the base image", hint: "try again")
        }
        return image
    }
}
