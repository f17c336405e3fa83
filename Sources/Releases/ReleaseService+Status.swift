import GRDB
package import Models
import Store

extension ReleaseService {
    /// How the app's change of releases stands.
    package func rolloutStatus(appID: AppID) async throws(MoorError) -> RolloutStatus {
        let state = try await desiredState(of: appID)
        let replicas = await orchestrator.replicas(of: appID)
        var status = RolloutStatus()
        status.live = state?.live?.release.number
        let old = state?.live
        if let rollout = rollouts[appID] {
            status.phase = rollout.isReverting ? .reverting : pauses[appID] == nil ? .rolling : .paused
            (status.release, status.since) = (rollout.number, rollout.since)
            status.processes = processes(replicas, rollout.previousID, rollout.before, rollout.releaseID, rollout.after)
            status.waitingFor = waitingFor(replicas, rollout, appID)
            if rollout.isMixed { status.newShare = share(replicas, rollout, appID) }
            if status.newShare == nil { status.newShare = 0 }
        } else if let (canary, record) = state?.canary {
            let counts = old?.counts(state?.scales ?? [:]) ?? [:]
            let wanted = record.replicas(of: counts["web"] ?? 1)
            status.phase = .canary
            (status.release, status.since) = (canary.release.number, record.startedAt)
            status.processes = processes(replicas, old?.releaseID, counts.filter { $0.key == "web" }, canary.releaseID, ["web": wanted])
            let unwell = replicas.first { $0.releaseID == canary.releaseID && $0.process == "web" && $0.state != .ready }
            if let unwell { status.waitingFor = "\(unwell.name) of v\(canary.release.number) is \(unwell.state.word)" }
            status.newShare = status.processes.first?.newReady == 0 ? 0 : record.percent
            let numbers = [canary.releaseID: canary.release.number, old?.releaseID: status.live ?? 0]
            status.traffic = await traffic.compare(appID).map { traffic in
                var traffic = traffic
                traffic.number = numbers[traffic.releaseID] ?? 0
                return traffic
            }
        } else if let pause = pauses[appID] {
            status.phase = .paused
            status.waitingFor = "the next rollout will be held: paused by \(pause.username)"
        }
        return status
    }

    private func processes(
        _ replicas: [ReplicaStatus], _ oldID: ReleaseID?, _ old: [String: Int], _ newID: ReleaseID, _ new: [String: Int]
    ) -> [RolloutStatus.Process] {
        Set(old.keys).union(new.keys).sorted { ($0 == "web" ? 0 : 1, $0) < ($1 == "web" ? 0 : 1, $1) }.map { name in
            var process = RolloutStatus.Process(name: name)
            func ready(_ release: ReleaseID?) -> Int {
                replicas.count { $0.releaseID == release && $0.process == name && $0.state == .ready }
            }
            (process.oldReady, process.oldWanted) = (ready(oldID), old[name] ?? 0)
            (process.newReady, process.newWanted) = (ready(newID), new[name] ?? 0)
            return process
        }
    }

    private func waitingFor(_ replicas: [ReplicaStatus], _ rollout: RolloutUnderWay, _ appID: AppID) -> String? {
        if let pause = pauses[appID], !rollout.isReverting { return "paused by \(pause.username)" }
        let (coming, going) = rollout.isReverting ? (rollout.previousID, rollout.releaseID) : (rollout.releaseID, rollout.previousID)
        if let replica = replicas.first(where: { $0.releaseID == coming && $0.state != .ready && $0.state != .stopping }) {
            return "\(replica.name) of v\(replica.releaseNumber) is \(replica.state.word)"
        }
        let finishing = going.flatMap { underWay[appID]?.finishing[$0] } ?? []
        let leaving = replicas.first { $0.releaseID == going && finishing.contains(.init(process: $0.process, ordinal: $0.ordinal)) }
        if let leaving { return "\(leaving.name) of v\(leaving.releaseNumber) finishes its requests" }
        return changes[appID]?.point.isPassed == false ? "the release command" : nil
    }

    /// Of a hundred viewers; as each is sent to one of the replicas that answer.
    private func share(_ replicas: [ReplicaStatus], _ rollout: RolloutUnderWay, _ appID: AppID) -> Int? {
        func serving(_ release: ReleaseID?) -> Int {
            let out = release.flatMap { underWay[appID]?.out[$0] } ?? []
            return replicas.count {
                $0.releaseID == release && $0.process == "web" && $0.state == .ready
                    && !out.contains(.init(process: $0.process, ordinal: $0.ordinal))
            }
        }
        let (old, new) = (serving(rollout.previousID), serving(rollout.releaseID))
        return old + new == 0 ? nil : new * 100 / (old + new)
    }
}
