package import Models
import Store

extension ReleaseService {
    /// Makes the image a release with the app's current config and rolls it out.
    ///
    /// Returns once traffic is switched; the old release drains afterwards. Cancelling the caller before the new replicas
    /// are asked for cancels the deploy; later it runs to its end.
    /// - Parameters:
    ///   - description: the first line of the commit's message.
    ///   - canaryPercent: of a hundred viewers that it should get beside the live release; nil to make it live.
    /// - Returns: the release's number.
    /// - Throws: `appFailed` where it does not come up, with the replica's last lines; `cancelled`; `unavailable`. The old
    ///   release then serves as before.
    package func deploy(
        appID: AppID, image: BuiltImage, pushID: PushID, by principal: Principal, description: String, canaryPercent: Int? = nil,
        log: DeployLog
    ) async throws(MoorError) -> Int {
        guard image.formation.contains(where: { !$0.isReleaseCommand }) else {
            throw MoorError(
                .invalid, "the app has no process to run", hint: "name one in a Procfile, such as `web: gunicorn app:server`")
        }
        return try await exclusively(appID, log: log) { (change) async throws(MoorError) -> Int in
            let draft = ReleaseDraft(
                imageID: image.imageID, formation: image.formation, config: .current, cause: .push, description: description,
                userID: principal.userID, pushID: pushID, canaryPercent: canaryPercent)
            let release = try await self.createRelease(draft, appID: appID)
            return try await self.rollOut(release, as: canaryPercent.map { .canary(percent: $0, isNew: true) } ?? .whole, change: change)
        }
    }
}
