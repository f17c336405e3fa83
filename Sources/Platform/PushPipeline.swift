import Builds
import GRDB
import Logging
import Models
import Releases
import Store

/// A push's way through the stations: build, release, rollout, each with its time.
struct PushPipeline: PushDeployer {
    var builds: BuildService
    var releases: ReleaseService
    var logger: Logger

    func deploy(_ push: ReceivedPush, source: any SourceTree, log: DeployLog) async throws(MoorError) {
        let clock = ContinuousClock()
        let start = clock.now
        logger.info("deploy begins", metadata: ["app": "\(push.app)", "push": "\(push.pushID)", "commit": "\(push.commitID.prefix(10))"])
        try await releases.checkNoCanary(appID: push.appID)
        let image = try await builds.build(push, source: source, log: log)
        let built = clock.now
        let number = try await releases.deploy(
            appID: push.appID, image: image, pushID: push.pushID, by: push.pusher, description: push.subject,
            canaryPercent: push.canaryPercent, log: log)
        let live = clock.now
        await log.line(
            "build \(Self.seconds(built - start)), rollout \(Self.seconds(live - built)), together \(Self.seconds(live - start))")
        logger.info(
            "deploy ends",
            metadata: ["app": "\(push.app)", "push": "\(push.pushID)", "release": "v\(number)", "took": "\(Self.seconds(live - start))"])
    }

    static func seconds(_ duration: Duration) -> String {
        let tenths = Int((duration / .milliseconds(100)).rounded())
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
