/// What a push asks the platform to bring up: handed from Pushes to the platform inside `pre-receive`.
package struct ReceivedPush: Sendable {
    package var pushID: PushID
    package var appID: AppID
    package var app: AppName
    package var pusher: Principal
    /// Hex id of the commit to deploy.
    package var commitID: String
    /// The first line of the commit's message.
    package var subject: String
    /// Of a hundred viewers that the release should get beside the live one; nil to make it live.
    package var canaryPercent: Int?

    package init(
        pushID: PushID, appID: AppID, app: AppName, pusher: Principal, commitID: String, subject: String, canaryPercent: Int? = nil
    ) {
        self.pushID = pushID
        self.appID = appID
        self.app = app
        self.pusher = pusher
        self.commitID = commitID
        self.subject = subject
        self.canaryPercent = canaryPercent
    }
}

/// Runs a push through build, release and rollout. Implemented by Platform, called by Pushes inside `pre-receive`.
package protocol PushDeployer: Sendable {
    /// Returns once the new release is live; throws where the push must be rejected, with everything of it undone.
    /// Cancelling the calling task before the rollout begins cancels the deploy.
    func deploy(_ push: ReceivedPush, source: any SourceTree, log: DeployLog) async throws(MoorError)
}

/// What Builds hands to Releases: an image in the engine, never changed once built, and what its tree says should run.
package struct BuiltImage: Sendable, Hashable {
    package var imageID: ImageID
    /// The engine's id of the image ("sha256:…").
    package var digest: String
    /// The name it can be run by.
    package var reference: String
    package var formation: Formation

    package init(imageID: ImageID, digest: String, reference: String, formation: Formation) {
        self.imageID = imageID
        self.digest = digest
        self.reference = reference
        self.formation = formation
    }
}
