package import Models

/// For doubles of what stands beside rollouts and never asks for one.
extension RolloutOperations {
    private var unused: MoorError { MoorError(.internalError, "not part of this test") }

    package func rollout(_ appID: AppID) async throws(MoorError) -> RolloutStatus { throw unused }
    package func pauseRollout(_ appID: AppID, by principal: Principal) async throws(MoorError) { throw unused }
    package func resumeRollout(_ appID: AppID, by principal: Principal) async throws(MoorError) { throw unused }
    package func undoRollout(_ appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int? { throw unused }
    package func canary(
        _ appID: AppID, release number: Int?, percent: Int, by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int { throw unused }
    package func promoteCanary(_ appID: AppID, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int { throw unused }
}
