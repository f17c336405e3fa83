/// What people can ask of an app's rollout. Permission has been checked by the caller.
package protocol RolloutOperations: Sendable {
    func rollout(_ appID: AppID) async throws(MoorError) -> RolloutStatus
    /// Holds the rollout that is under way, or else the next, before its next wave and before the traffic is switched.
    func pauseRollout(_ appID: AppID, by principal: Principal) async throws(MoorError)
    /// - Throws: `conflict` where nothing is paused.
    func resumeRollout(_ appID: AppID, by principal: Principal) async throws(MoorError)
    /// Breaks off the rollout that is under way, or ends the canary, or else rolls back to the release before.
    /// - Returns: the number of the release that is live then; nil where there is none.
    func undoRollout(_ appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int?
    /// Gives an earlier release, or the canary that there is, a share of the viewers beside the live release.
    /// - Parameters:
    ///   - number: of the release; nil for the canary that there is.
    ///   - percent: 1 to 99.
    /// - Returns: the canary's number.
    func canary(_ appID: AppID, release number: Int?, percent: Int, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int
    /// Makes the canary the live release.
    /// - Returns: its number.
    func promoteCanary(_ appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int
}

/// How an app's change of releases stands.
package struct RolloutStatus: Sendable, Hashable {
    package enum Phase: String, Sendable, CaseIterable {
        /// Nothing is under way.
        case idle
        case rolling
        case paused
        /// A second release has a share of the viewers.
        case canary
        /// The old release is being brought back.
        case reverting
    }

    package struct Process: Sendable, Hashable {
        package var name: String
        package var oldReady = 0
        package var oldWanted = 0
        package var newReady = 0
        package var newWanted = 0

        package init(name: String) { self.name = name }
    }

    package var phase = Phase.idle
    /// The live release's number; nil before the first.
    package var live: Int?
    /// The number of the release that rolls out, or of the canary.
    package var release: Int?
    /// Seconds since 1970 of its begin.
    package var since: Double?
    /// What it waits for, for people.
    package var waitingFor: String?
    package var processes: [Process] = []
    /// Of a hundred viewers, how many the new release gets now.
    package var newShare: Int?
    /// What both releases answered since the canary began; empty without one.
    package var traffic: [ReleaseTraffic] = []

    package init() {}
}

/// What one release answered, as the gateway saw it.
package struct ReleaseTraffic: Sendable, Hashable {
    package var releaseID: ReleaseID
    /// Its number, where who counts knows it.
    package var number = 0
    package var requests = 0
    /// Answers from 500 on, and requests that got no whole answer.
    package var errors = 0
    /// To the answer's first byte.
    package var p50Milliseconds: Double?
    package var p95Milliseconds: Double?

    package init(releaseID: ReleaseID) { self.releaseID = releaseID }
}
