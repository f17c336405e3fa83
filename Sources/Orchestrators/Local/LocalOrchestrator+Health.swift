import Engine
import Foundation
import Logging
import Models

extension LocalOrchestrator {
    /// Asks a running replica how it is, for as long as it runs that container.
    func watch(_ appID: AppID, _ replicaID: ReplicaID, containerID: String) async {
        while !Task.isCancelled {
            guard let replica = apps[appID]?.replicas[replicaID], case .running(containerID, let address, _, let health) = replica.phase
            else { return }
            if let check = health.check, let address {
                await probe(
                    appID, replicaID, containerID: containerID, address: address, port: replica.process.listensOn, health: health,
                    check: check)
            } else {
                change(appID, replicaID, containerID: containerID) { $0.settled(at: .now) }
            }
            guard case .running(_, _, _, let current) = apps[appID]?.replicas[replicaID]?.phase else { return }
            if current.check == nil, current.isReady { return }
            let pause = current.pause(at: .now, interval: configuration.probeInterval)
            try? await Task.sleep(for: pause)
        }
    }

    private func probe(
        _ appID: AppID, _ replicaID: ReplicaID, containerID: String, address: String, port: Int, health: Health, check: HealthCheck
    ) async {
        let left = health.startedAt + .seconds(check.timeoutSeconds) - .now
        let deadline = health.phase == .starting ? min(max(left, .milliseconds(500)), .seconds(10)) : .seconds(10)
        guard let outcome = try? await probe.get(host: address, port: port, path: check.path, deadline: deadline) else { return }
        var isLost = false
        change(appID, replicaID, containerID: containerID) { isLost = $0.observed(outcome, at: .now) }
        guard isLost else { return }
        let reason = await diagnose(containerID, check: check, port: port, outcome: outcome)
        change(appID, replicaID, containerID: containerID) { $0.found(reason: reason) }
    }

    /// Changes the health of a replica that still runs the container, and tells where its state became another.
    private func change(_ appID: AppID, _ replicaID: ReplicaID, containerID: String, _ body: (inout Health) -> Void) {
        guard var replica = apps[appID]?.replicas[replicaID], case .running(containerID, let address, let since, var health) = replica.phase
        else { return }
        let before = health.state
        body(&health)
        replica.phase = .running(containerID: containerID, address: address, since: since, health: health)
        apps[appID]?.replicas[replicaID] = replica
        guard health.state != before else { return }
        changed(appID)
        var metadata = metadata(appID, replica)
        if case .unhealthy(let reason) = health.state {
            metadata["reason"] = "\(reason)"
            logger.notice("replica is unhealthy", metadata: metadata)
        } else {
            logger.info("replica is \(health.state.word)", metadata: metadata)
        }
        // An outdated replica of the slot may go once this one is ready.
        workInput.yield(.reconcile(appID))
    }

    /// Looks from the host at what listens inside the container.
    private func diagnose(_ containerID: String, check: HealthCheck, port: Int, outcome: ProbeOutcome) async -> String {
        var listeners: [Listener] = []
        if let pid = try? await engine.inspectContainer(containerID)?.state.pid, pid > 0 {
            for table in ["tcp", "tcp6"] {
                listeners += Listener.parse((try? String(contentsOfFile: "/proc/\(pid)/net/\(table)", encoding: .utf8)) ?? "")
            }
        }
        return unhealthyReason(check: check, port: port, outcome: outcome, listeners: listeners)
    }
}
