import Models
import Releases

extension PlatformOperations: CommandOperations {
    func run(
        _ appID: AppID, process: String?, order: CommandOrder, by principal: Principal, session: CommandSession
    ) async throws(MoorError) -> CommandEnd {
        let (app, set) = try await releases.commandSet(appID: appID, process: process, environment: order.environment)
        return try await desk.attend(appID, others: await detached(appID)) { [orchestrator] in
            try await orchestrator.run(order, like: set, appID: appID, app: app, user: principal.username, session: session)
        }
    }

    func exec(
        _ appID: AppID, replica: String?, order: CommandOrder, by principal: Principal, session: CommandSession
    ) async throws(MoorError) -> CommandEnd {
        // Of two releases' replicas with one name, the newer's.
        let running = await orchestrator.replicas(of: appID).filter { $0.state.runs }.sorted {
            ($0.releaseNumber, $1.process, $1.ordinal) > ($1.releaseNumber, $0.process, $0.ordinal)
        }
        let chosen =
            if let replica { running.first { $0.name == replica } } else {
                running.first { $0.process == "web" && $0.state == .ready } ?? running.first { $0.state == .ready } ?? running.first
            }
        guard let chosen else {
            throw MoorError(
                .conflict, replica.map { "no replica “\($0.prefix(60))” runs" } ?? "no replica of the app runs",
                hint: "moor ps shows the replicas; moor run starts a container of its own")
        }
        try releases.validateCommandEnvironment(order.environment)
        return try await desk.attend(appID, others: await detached(appID)) { [orchestrator] in
            try await orchestrator.exec(order, in: chosen.replicaID, session: session)
        }
    }

    func startOneOff(_ appID: AppID, process: String?, order: CommandOrder, by principal: Principal) async throws(MoorError) -> OneOff {
        let (app, set) = try await releases.commandSet(appID: appID, process: process, environment: order.environment)
        return try await desk.attend(appID, others: await detached(appID)) { [orchestrator] in
            try await orchestrator.start(order, like: set, appID: appID, app: app, user: principal.username)
        }
    }

    func oneOffs(_ appID: AppID) async -> [OneOff] { await orchestrator.oneOffs(of: appID) }

    func stopOneOff(_ appID: AppID, named name: String) async throws(MoorError) {
        try await orchestrator.stopOneOff(named: name, of: appID)
    }

    private func detached(_ appID: AppID) async -> Int {
        await orchestrator.oneOffs(of: appID).count { $0.isDetached && $0.end == nil }
    }
}

extension ReplicaStatus.State {
    /// Whether something can be run in it.
    fileprivate var runs: Bool {
        switch self {
        case .starting, .ready, .unhealthy: true
        case .pending, .backingOff, .crashLooping, .stopping: false
        }
    }
}
