package import Models

/// An orchestrator without an engine: replicas are values that behave as they are told, at once. It is the boundary that
/// releases are tested at; containers are the orchestrators' own tests.
package actor ScriptedOrchestrator: Orchestrator {
    /// What becomes of a replica once it is asked for.
    package enum Behaviour: Sendable {
        case ready
        /// Starting, until the test says otherwise.
        case starting
        /// There is no room for it.
        case pending(String)
        case exits(code: Int, lines: [String])
        case unhealthy(String)
    }

    /// Given to each new replica; the last of `behaviours` that matches wins.
    private var behaviours: [(release: Int?, name: String?, Behaviour)] = []
    private var desired: [AppID: Workload] = [:]
    private var current: [AppID: [ReplicaStatus]] = [:]
    private var lines: [ReplicaID: [String]] = [:]
    private var observers: [Int: (appID: AppID?, continuation: AsyncStream<Void>.Continuation)] = [:]
    private var next: Int64 = 0
    private var commandEnd = CommandEnd(exitCode: 0)
    private var started: [OneOff] = []
    private var applyFailures: [MoorError] = []
    private var commandOutcome: @Sendable () async throws(MoorError) -> Void = {}
    private let journal: @Sendable (String) async -> Void

    /// - Parameter journal: told of each call, so that tests see the order of things.
    package init(journal: @escaping @Sendable (String) async -> Void = { _ in }) { self.journal = journal }

    /// - Parameters:
    ///   - release: nil for every release.
    ///   - name: of the replica, such as "web.1"; nil for every one.
    package func script(_ behaviour: Behaviour, release: Int? = nil, name: String? = nil) {
        behaviours.append((release, name, behaviour))
    }

    /// The next applies throw these.
    package func failApplies(_ errors: [MoorError]) { applyFailures = errors }

    /// What `release` processes do.
    package func scriptCommand(_ outcome: @escaping @Sendable () async throws(MoorError) -> Void) { commandOutcome = outcome }

    /// How commands end that are no error.
    package func endCommands(with end: CommandEnd) { commandEnd = end }

    /// Changes the state of a replica that is there.
    package func set(_ state: ReplicaStatus.State, release: Int, name: String, restarts: Int? = nil) {
        for (appID, replicas) in current {
            for (index, replica) in replicas.enumerated() where replica.releaseNumber == release && replica.name == name {
                current[appID]?[index].state = state
                if let restarts { current[appID]?[index].restarts = restarts }
            }
            changed(appID)
        }
    }

    /// The workload last applied.
    package func workload(of appID: AppID) -> Workload? { desired[appID] }

    package func apply(_ workload: Workload) async throws(MoorError) {
        if !applyFailures.isEmpty { throw applyFailures.removeFirst() }
        let changes = desired[workload.appID] != workload
        desired[workload.appID] = workload
        var replicas: [ReplicaStatus] = []
        for set in workload.sets {
            for ordinal in 1...set.count where !set.without.contains(ordinal) { replicas.append(replica(set, ordinal, workload.appID)) }
        }
        current[workload.appID] = replicas
        if changes { await journal("apply \(workload.summary)") }
        changed(workload.appID)
    }

    private func replica(_ set: ReplicaSet, _ ordinal: Int, _ appID: AppID) -> ReplicaStatus {
        let existing = current[appID]?.first {
            $0.releaseID == set.releaseID && $0.process == set.process.name && $0.ordinal == ordinal
        }
        if let existing { return existing }
        next += 1
        var replica = ReplicaStatus(
            replicaID: ReplicaID(next), appID: appID, releaseID: set.releaseID, releaseNumber: set.releaseNumber,
            process: set.process.name, ordinal: ordinal, state: .starting,
            endpoint: set.process.isWeb ? Endpoint(host: "127.0.0.1", port: 10_000 + Int(next)) : nil, restarts: 0, startedAt: 0)
        let behaviour = behaviours.last {
            ($0.release ?? set.releaseNumber) == set.releaseNumber && ($0.name ?? replica.name) == replica.name
        }?.2
        switch behaviour ?? .ready {
        case .ready: replica.state = .ready
        case .starting: break
        case .pending(let reason): replica.state = .pending(reason: reason)
        case .exits(let code, let output):
            replica.state = .backingOff(exitCode: code, reason: "it exited with code \(code)", retryAfterSeconds: 1)
            lines[replica.replicaID] = output
        case .unhealthy(let reason): replica.state = .unhealthy(reason: reason)
        }
        return replica
    }

    package func remove(appID: AppID, app: AppName) async throws(MoorError) {
        if !applyFailures.isEmpty { throw applyFailures.removeFirst() }
        desired[appID] = nil
        current[appID] = nil
        await journal("remove \(app)")
        changed(appID)
    }

    package func replicas(of appID: AppID?) -> [ReplicaStatus] {
        if let appID { current[appID] ?? [] } else { current.values.flatMap(\.self) }
    }

    package func changes(of appID: AppID?) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        next += 1
        observers[Int(next)] = (appID, continuation)
        return stream
    }

    private func changed(_ appID: AppID) {
        for (key, observer) in observers where observer.appID == nil || observer.appID == appID {
            if case .terminated = observer.continuation.yield() { observers[key] = nil }
        }
    }

    package func logs(
        appID: AppID, process: String?, tail: Int, follow: Bool
    ) throws(MoorError) -> AsyncThrowingStream<LogLine, any Error> {
        AsyncThrowingStream { $0.finish() }
    }

    package func lastLines(of replicaID: ReplicaID, count: Int) -> [String] {
        // Gone with its replica, as a container's log is.
        guard current.values.contains(where: { $0.contains { $0.replicaID == replicaID } }) else { return [] }
        return lines[replicaID]?.suffix(count) ?? []
    }

    package func run(
        _ order: CommandOrder, like set: ReplicaSet, appID: AppID, app: AppName, user: String, session: CommandSession
    ) async throws(MoorError) -> CommandEnd {
        await journal("run v\(set.releaseNumber) \(order.arguments.isEmpty ? set.process.command : order.arguments.joined(separator: " "))")
        try await commandOutcome()
        return commandEnd
    }

    package func exec(_ order: CommandOrder, in replicaID: ReplicaID, session: CommandSession) async throws(MoorError) -> CommandEnd {
        await journal("exec \(replicaID) \(order.arguments.joined(separator: " "))")
        try await commandOutcome()
        return commandEnd
    }

    package func start(
        _ order: CommandOrder, like set: ReplicaSet, appID: AppID, app: AppName, user: String
    ) async throws(MoorError) -> OneOff {
        next += 1
        let oneOff = OneOff(
            name: "run.\(next)", appID: appID, releaseNumber: set.releaseNumber, process: set.process.name, program: order.programName,
            user: user, isDetached: true, startedAt: 0)
        started.append(oneOff)
        return oneOff
    }

    package func oneOffs(of appID: AppID) -> [OneOff] { started.filter { $0.appID == appID } }

    package func stopOneOff(named name: String, of appID: AppID) throws(MoorError) {
        guard started.contains(where: { $0.name == name && $0.appID == appID }) else {
            throw MoorError(.notFound, "no command “\(name)” runs")
        }
        started.removeAll { $0.name == name && $0.appID == appID }
    }
}

extension Workload {
    /// Such as "v1 web=2, v2 web=2 worker=1".
    package var summary: String {
        var parts: [String] = []
        for number in sets.map(\.releaseNumber).reduce(into: [Int](), { if !$0.contains($1) { $0.append($1) } }).sorted() {
            let counts = sets.filter { $0.releaseNumber == number }.map { "\($0.process.name)=\($0.count - $0.without.count)" }
            parts.append("v\(number) \(counts.joined(separator: " "))")
        }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }
}
