package import Engine
import Foundation
import GRDB
package import Logging
package import Models
package import Store

/// Station 5: turns a pushed tree into an image. Every build is a row before anything runs.
package actor BuildService {
    let configuration: BuildsConfiguration
    let store: DataStore
    let engine: EngineClient
    let logger: Logger
    let slots: BuildSlots
    var surroundings = BuildSurroundings()
    var upkeep = Upkeep()
    /// The base image once it is known to be there, and the one making of it that all who need it wait for.
    var base: EngineImage?
    var baseInTheMaking: Task<EngineImage, any Error>?
    /// Finished when that making ends.
    var baseWaits: [AsyncStream<Never>.Continuation] = []
    /// References of images that are being removed, or taken for another build's row.
    var busyImages: Set<String> = []

    package init(configuration: BuildsConfiguration, store: DataStore, engine: EngineClient, logger: Logger) {
        self.configuration = configuration
        self.store = store
        self.engine = engine
        self.logger = logger
        slots = BuildSlots(configuration.concurrency)
    }

    /// Builds the push's tree, telling `log` and the kept log as it happens. Cancelling the task ends the build and
    /// removes what it made.
    /// - Throws: `appFailed` where the tree cannot be built, with the lines that say why; `timedOut`; `cancelled`;
    ///   `unavailable` where the engine or the disk fails.
    package func build(_ push: ReceivedPush, source: any SourceTree, log: DeployLog) async throws(MoorError) -> BuiltImage {
        let started = Date()
        let row = try await store.write { [treeID = source.treeID] db in
            var row = BuildRecord(pushID: push.pushID, treeID: treeID, state: .queued, startedAt: now())
            try row.insert(db)
            return row
        }
        guard let id = row.id else { throw MoorError(.internalError, "a build's row has no id") }
        let logger = Self.logger(self.logger, push, id)
        do throws(MoorError) {
            let values = try await surroundings.values(push.appID)
            let kept = try BuildLog(path: logPath(id), limit: 10 << 20)
            let voice = BuildVoice(kept: kept, log: log, mask: SecretMask(values.values))
            do throws(MoorError) {
                let image = try await build(push, source, id, values, voice)
                await kept.close()
                logger.info("built", metadata: ["seconds": "\(Date().timeIntervalSince(started))", "image": "\(image.reference)"])
                return image
            } catch {
                let error = voice.masked(error)
                for line in error.lines { await kept.write(line, isOutput: false) }
                await kept.close()
                throw error
            }
        } catch {
            logger.info("build failed", metadata: ["code": "\(error.code.rawValue)", "cause": "\(error.cause ?? error.message)"])
            await close(id, error)
            throw error
        }
    }

    private func build(
        _ push: ReceivedPush, _ source: any SourceTree, _ id: BuildID, _ values: [String: String], _ voice: BuildVoice
    ) async throws(MoorError) -> BuiltImage {
        let plan = try await Self.plan(source, configuration)
        await voice.say("buildpack \(plan.detection.buildpack.id): \(plan.detection.reason)")
        for note in plan.notes { await voice.say(note) }
        try plan.spec?.check(try await surroundings.ceilings(push.appID))
        try plan.requireGPUs(available: await configuration.gpus())
        try await store.write { db in
            _ = try BuildRecord.filter(key: id).updateAll(
                db, Column("buildpack").set(to: plan.detection.buildpack.id), Column("reason").set(to: plan.detection.reason))
        }
        let slot = try await slots.take(push.appID) { ahead in
            await voice.say("waiting for a turn to build: \(ahead == 0 ? "next in the queue" : "\(ahead) before this one in the queue")")
        }
        let outcome: Result<BuiltImage, MoorError>
        do throws(MoorError) { outcome = .success(try await run(push, source, id, plan, values, slot, voice)) } catch {
            outcome = .failure(error)
        }
        await slots.give(slot, push.appID)
        return try outcome.get()
    }

    private func run(
        _ push: ReceivedPush, _ source: any SourceTree, _ id: BuildID, _ plan: BuildPlan, _ values: [String: String], _ slot: Int,
        _ voice: BuildVoice
    ) async throws(MoorError) -> BuiltImage {
        try await store.write { db in _ = try BuildRecord.filter(key: id).updateAll(db, Column("state").set(to: BuildRecord.State.running))
        }
        let base = try await readyBase(progress: voice.log)
        let run = BuildRun(
            engine: engine, configuration: configuration, push: push, buildID: id, plan: plan, base: base, source: source, voice: voice,
            values: values, network: { [surroundings] in try await surroundings.network(slot) })
        do {
            if let row = try await earlierImage(push.appID, tree: source.treeID), busyImages.insert(row.reference).inserted {
                defer { busyImages.remove(row.reference) }
                if let earlier = try await reusable(row, planLabel: run.planLabel) {
                    try await standsAsBefore(id, row.buildID)
                    await voice.say("the same tree was built before: using its image")
                    return try await keep(earlier, id, try await run.formation(of: earlier))
                }
            }
            return try await using(run.usedNames) {
                let image = try await run.make { ground in try await self.stands(id, on: ground) }
                return try await keep(image, id, try await run.formation(of: image))
            }
        } catch {
            // The engine may have lost its images; the next build looks anew.
            self.base = nil
            throw BuildRun.forPeople(error)
        }
    }

    /// Reads the tree away from the actor, which others wait for.
    @concurrent private static func plan(_ source: any SourceTree, _ configuration: BuildsConfiguration) async throws(MoorError)
        -> BuildPlan
    {
        try BuildPlan(source, packs: Buildpack.load(roots: configuration.buildpackRoots), settings: configuration.settings)
    }

    private func keep(_ image: EngineImage, _ id: BuildID, _ formation: Formation) async throws(MoorError) -> BuiltImage {
        guard let reference = image.references.first else { throw MoorError(.internalError, "the built image has no name") }
        let imageID = try await store.write { db in
            var row = ImageRecord(
                buildID: id, digest: image.id, reference: reference, bytes: image.size, formation: formation, createdAt: now())
            try row.insert(db)
            _ = try BuildRecord.filter(key: id).updateAll(
                db, Column("state").set(to: BuildRecord.State.succeeded), Column("endedAt").set(to: now()))
            return row.id
        }
        guard let imageID else { throw MoorError(.internalError, "an image's row has no id") }
        return BuiltImage(imageID: imageID, digest: image.id, reference: reference, formation: formation)
    }

    /// The row ends also where the task was cancelled, which the database would heed.
    private func close(_ id: BuildID, _ error: MoorError) async {
        let store = self.store
        let closed = await Task {
            try? await store.write { db in
                try BuildRecord.filter(key: id).updateAll(
                    db, Column("state").set(to: error.code == .cancelled ? BuildRecord.State.cancelled : .failed),
                    Column("failure").set(to: error.message), Column("endedAt").set(to: now()))
            }
        }.value
        if closed == nil { logger.error("a failed build's row stays open until the next start", metadata: ["build": "\(id)"]) }
    }

    private static func logger(_ logger: Logger, _ push: ReceivedPush, _ id: BuildID) -> Logger {
        var logger = logger
        logger[metadataKey: "app"] = "\(push.app)"
        logger[metadataKey: "push"] = "\(push.pushID)"
        logger[metadataKey: "build"] = "\(id)"
        return logger
    }

    func logPath(_ id: BuildID) -> String { "\(configuration.logs)/\(id).log" }

    /// The build's log, as far as it is written.
    /// - Throws: `notFound`.
    package func log(of id: BuildID) throws(MoorError) -> String {
        guard let data = FileManager.default.contents(atPath: logPath(id)) else {
            throw MoorError(.notFound, "there is no log of build \(id)", hint: "logs of builds from before a restore are not kept")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
