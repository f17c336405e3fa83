import Engine
import Foundation
import GRDB
import Logging
package import Models
import Store

extension BuildService {
    /// Builds an image again that somebody took from the engine: from the same tree, and under the same name. Where the app's
    /// layers are still there it takes as long as a push that changes nothing.
    ///
    /// What the first build wrote stays as it is; this one's log lies beside it.
    /// - Parameter push: the one that the image was built from.
    /// - Throws: `notFound` where no row names the image; else as `build`.
    package func restore(_ reference: String, push: ReceivedPush, source: any SourceTree) async throws(MoorError) {
        let row = try await store.read { db in
            try ImageRecord.filter(Column("reference") == reference && Column("removedAt") == nil).order(Column("id")).fetchOne(db)
        }
        guard let row else { throw MoorError(.notFound, "no release has the image \(reference)") }
        let plan = try BuildPlan(source, packs: Buildpack.load(roots: configuration.buildpackRoots), settings: configuration.settings)
        let values = try await surroundings.values(push.appID)
        let kept = try BuildLog(path: logPath(row.buildID) + ".again", limit: 1 << 20)
        let voice = BuildVoice(kept: kept, log: .discard, mask: SecretMask(values.values))
        let slot = try await slots.take(push.appID) { _ in }
        let outcome: Result<EngineImage, any Error>
        do {
            let run = BuildRun(
                engine: engine, configuration: configuration, push: push, buildID: row.buildID, plan: plan,
                base: try await readyBase(progress: voice.log), source: source, voice: voice, values: values,
                network: { [surroundings] in try await surroundings.network(slot) })
            outcome = .success(try await using(run.usedNames) { try await run.make { _ in } })
        } catch {
            base = nil
            outcome = .failure(error)
        }
        await slots.give(slot, push.appID)
        await kept.close()
        do {
            let image = try outcome.get()
            try await store.write { db in
                _ = try ImageRecord.filter(Column("reference") == reference && Column("removedAt") == nil).updateAll(
                    db, Column("digest").set(to: image.id), Column("bytes").set(to: image.size))
            }
        } catch {
            throw voice.masked(BuildRun.forPeople(error))
        }
        logger.notice("an image that was gone from the engine is built again", metadata: ["app": "\(push.app)", "image": "\(reference)"])
    }
}
