import GRDB
package import Models
import Store

extension ReleaseService {
    /// Makes an earlier release's image, processes and config a new release and rolls it out, without a build.
    ///
    /// As Heroku's, a rollback restores code and config together: once it is live, the app's config is that release's. The
    /// `release` process runs again. Scale stays what people asked for.
    /// - Parameter number: of a release that is kept; nil for the one that was live before the current one.
    /// - Returns: the new release's number.
    /// - Throws: `notFound` or `conflict` naming the releases that are kept; else as `deploy`.
    package func rollback(
        appID: AppID, to number: Int?, by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int {
        try await exclusively(appID, log: log) { (change) async throws(MoorError) -> Int in
            let sealer = try await self.environment().sealer
            let kept = max(1, self.configuration.keptReleases)
            let target = try await self.store.read { db in
                try Self.rollbackTarget(number, appID: appID, app: change.app, keptReleases: kept, db)
            }
            let config = try sealer.openSnapshot(target.sealedConfig, app: appID, number: target.number)
            let draft = ReleaseDraft(
                imageID: target.imageID, formation: target.formation, config: .given(config), cause: .rollback,
                description: "rollback to v\(target.number)", userID: principal.userID, pushID: target.pushID)
            let release = try await self.createRelease(draft, appID: appID)
            return try await self.rollOut(release, as: .whole, change: change)
        }
    }

    /// The release to go back to, where it is kept.
    static func rollbackTarget(
        _ number: Int?, appID: AppID, app: AppName, keptReleases: Int, _ db: Database
    ) throws -> ReleaseRecord {
        // By SQL and not by state alone: an image outside of the kept may be on its way out.
        let kept = try ReleaseRecord.fetchAll(
            db,
            sql: """
                SELECT releases.* FROM releases JOIN images ON images.id = releases.imageID
                WHERE appID = :app AND removedAt IS NULL AND releases.id IN (
                    SELECT id FROM releases WHERE appID = :app AND state = 'live'
                    UNION SELECT id FROM (
                        SELECT id FROM releases WHERE appID = :app AND state = 'superseded' ORDER BY number DESC LIMIT :count))
                ORDER BY number
                """, arguments: ["app": appID, "count": keptReleases])
        let names = kept.map { "v\($0.number)" }.joined(separator: ", ")
        let hint = kept.isEmpty ? "push first; there is nothing to go back to yet" : "kept releases: \(names)"
        guard let number else {
            guard let target = kept.last(where: { $0.state == .superseded }) else {
                throw MoorError(.conflict, "\(app) has no release from before the live one", hint: hint)
            }
            return target
        }
        if let target = kept.first(where: { $0.number == number }) { return target }
        guard
            let release = try ReleaseRecord.filter(Column("appID") == appID && Column("number") == number).fetchOne(db)
        else { throw MoorError(.notFound, "\(app) has no release v\(number)", hint: hint) }
        guard release.state != .failed else {
            throw MoorError(.conflict, "v\(number) of \(app) failed and never went live", hint: hint)
        }
        throw MoorError(.conflict, "the image of v\(number) of \(app) is no longer kept", hint: hint)
    }
}
