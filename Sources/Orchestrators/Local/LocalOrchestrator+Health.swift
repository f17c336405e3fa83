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
            if let check = health.check, let look = look(replica, containerID: containerID, address: address, check: check) {
                await probe(appID, replicaID, containerID: containerID, port: replica.process.listensOn, health: health, check: check, look)
            } else {
                change(appID, replicaID, containerID: containerID) { $0.settled(at: .now) }
            }
            guard case .running(_, _, _, let current) = apps[appID]?.replicas[replicaID]?.phase else { return }
            if current.check == nil, current.isReady { return }
            if current.isHung(at: .now, usual: configuration.restartAfter) { await stopHung(appID, replicaID, containerID: containerID) }
            try? await Task.sleep(for: current.pause(at: .now, usual: configuration.probeInterval))
        }
    }

    private typealias Look = @Sendable (_ deadline: Duration) async throws -> ProbeOutcome

    /// How a replica is asked; nil where it has no address to be asked at.
    private func look(_ replica: Replica, containerID: String, address: String?, check: HealthCheck) -> Look? {
        let (probe, port) = (probe, replica.process.listensOn)
        switch check.probe {
        case .http:
            guard let address else { return nil }
            return { deadline in try await probe.get(host: address, port: port, path: check.path, deadline: deadline) }
        case .tcp:
            guard let address else { return nil }
            return { deadline in try await probe.connect(host: address, port: port, deadline: deadline) }
        case .command(let command):
            return { [engine] deadline in .exited(code: try await Probe.run(command, in: containerID, engine: engine, deadline: deadline)) }
        }
    }

    private func probe(
        _ appID: AppID, _ replicaID: ReplicaID, containerID: String, port: Int, health: Health, check: HealthCheck, _ look: Look
    ) async {
        let left = health.startedAt + .seconds(check.timeoutSeconds) - .now
        let usual = configuration.probeDeadline
        let deadline = health.phase == .starting ? min(max(left, .milliseconds(500)), usual) : usual
        guard let outcome = try? await look(deadline) else { return }
        var isLost = false
        change(appID, replicaID, containerID: containerID) { isLost = $0.observed(outcome, at: .now) }
        guard isLost else { return }
        let details = try? await engine.inspectContainer(containerID)
        // Where nothing watches over the container any more, nobody tells of its end, nor does Podman find out.
        if let details, !details.state.running || !Self.lives(details.state.pid) { return ended(containerID: containerID, exitCode: nil) }
        let reason = diagnose(pid: details?.state.pid ?? 0, check: check, port: port, outcome: outcome)
        change(appID, replicaID, containerID: containerID) { $0.found(reason: reason, at: .now) }
    }

    /// A replica that hangs does not end by itself: its container is stopped, and what follows is as with any that ended.
    private func stopHung(_ appID: AppID, _ replicaID: ReplicaID, containerID: String) async {
        guard let replica = apps[appID]?.replicas[replicaID], case .running(containerID, _, _, let health) = replica.phase,
            case .unhealthy(let reason, let since, _) = health.phase
        else { return }
        let seconds = Int((Instant.now - since) / .seconds(1))
        logger.notice("replica hangs and is started anew", metadata: metadata(appID, replica))
        await stop(
            appID, replicaID, containerID: containerID, because: "was unhealthy for \(seconds) s and is started anew: \(reason)",
            grace: configuration.stopGraceSeconds)
    }

    /// Stops a running container for another to take its place.
    /// - Parameter reason: for people.
    func stop(_ appID: AppID, _ replicaID: ReplicaID, containerID: String, because reason: String, grace: Int) async {
        apps[appID]?.replicas[replicaID]?.hung = reason
        try? await engine.stopContainer(containerID, grace: grace)
        // In case the event of its end is lost.
        ended(containerID: containerID, exitCode: nil)
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

    /// Whether a process of this host runs: there, and no zombie (proc(5)).
    private static func lives(_ pid: Int) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return stat.split(separator: ")").last.map { !$0.hasPrefix(" Z") && !$0.hasPrefix(" X") } ?? false
    }

    /// Looks from the host at what listens inside the container.
    private func diagnose(pid: Int, check: HealthCheck, port: Int, outcome: ProbeOutcome) -> String {
        var listeners: [Listener] = []
        if pid > 0 {
            for table in ["tcp", "tcp6"] {
                listeners += Listener.parse((try? String(contentsOfFile: "/proc/\(pid)/net/\(table)", encoding: .utf8)) ?? "")
            }
        }
        return unhealthyReason(check: check, port: port, outcome: outcome, listeners: listeners)
    }
}
