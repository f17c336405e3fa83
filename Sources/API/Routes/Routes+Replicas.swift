import Hummingbird
import Logging
import Models

extension APIController {
    var replicaRoutes: [Route] {
        let replicas = Schema.object([.init("replicas", .array(.named("Replica")), "By process and ordinal")])
        return [
            Route(
                method: .get, path: "/apps/{app}/replicas", name: "listReplicas", summary: "What runs of an app",
                answer: .json(replicas, "The replicas"), handler: .app(.inspect, list)),
            Route(
                method: .post, path: "/apps/{app}/scale", name: "scaleApp",
                summary: "Set how many replicas run; answers once they are ready",
                body: .map(.integer(0...100)),
                answer: .json(replicas, "The replicas as they are now"), failures: [.conflict, .appFailed, .timedOut],
                handler: .app(.operate, scale)),
            Route(
                method: .get, path: "/apps/{app}/logs", name: "readLogs", summary: "What the replicas write",
                query: [
                    .init("process", .string(length: 1...64), "Only this process type", isRequired: false),
                    .init(
                        "tail", .integer(0...10_000), "How many earlier lines of each replica; 100 where it is left out", isRequired: false),
                    .init("follow", .boolean, "Whether to go on with what comes", isRequired: false),
                ],
                answer: .lines(
                    .either([.named("LogLine"), .object([.init("error", .named("Error"), "Why it ended")])]),
                    "A line of JSON for each line; with follow a blank line every 15 seconds"),
                handler: .app(.inspect, logs)),
        ]
    }

    static let replicaShape = Shape<ReplicaStatus>(
        "Replica",
        [
            .init("name", .string(), "Process and ordinal, such as web.1") { .string($0.name) },
            .init("process", .string(), "The process type") { .string($0.process) },
            .init("ordinal", .integer(1...Int.max), "Its place within process and release") { .integer($0.ordinal) },
            .init("release", .integer(1...Int.max), "The release's number") { .integer($0.releaseNumber) },
            .init("state", .word(["pending", "starting", "ready", "backing-off", "crash-looping", "unhealthy", "stopping"]), "How it is") {
                .string($0.state.word)
            },
            .init("reason", .nullable(.string()), "Why it is not ready") { JSON($0.state.reason) },
            .init("exitCode", .nullable(.integer()), "How it ended, while it is backing off") { JSON($0.state.exitCode) },
            .init("restarts", .integer(0...Int.max), "How often it was started again") { .integer($0.restarts) },
            .init("startedAt", .nullable(.string(format: "date-time")), "Its last start") { JSON(time: $0.startedAt) },
        ])

    static let logLineShape = Shape<LogLine>(
        "LogLine",
        [
            .init("replica", .string(), "Who wrote it, such as web.1") { .string($0.replica) },
            .init("text", .string(), "The line without its newline") { .string($0.text) },
        ])

    private func current(_ app: AppOfCaller) async throws -> Response {
        let replicas = await operations.replicas(app.id)
            .sorted { ($0.process, $0.releaseNumber, $0.ordinal) < ($1.process, $1.releaseNumber, $1.ordinal) }
        return try .json(["replicas": Self.replicaShape.json(replicas)])
    }

    @Sendable private func list(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        try await current(app)
    }

    @Sendable private func scale(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let counts = call.body.members.compactMapValues(\.integer)
        guard !counts.isEmpty else { throw MoorError(.invalid, "no process is named", hint: "send {\"web\":3}") }
        try await operations.scale(app.id, to: counts, by: principal)
        logger.info("app scaled", metadata: ["app": "\(app.name)", "counts": "\(counts)", "by": "\(principal.username)"])
        return try await current(app)
    }

    @Sendable private func logs(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let follow = call.query["follow"] == "true"
        let lines = try await operations.logs(
            app.id, process: call.query["process"], tail: call.query["tail"].flatMap { Int($0) } ?? 100, follow: follow)
        return .lines(for: call.request, heartbeat: follow ? heartbeat : nil, endsWithReader: true) { queue in
            for try await line in lines {
                guard await queue.send(Self.logLineShape.json(line)) else { return }
            }
        }
    }
}

extension ReplicaStatus.State {
    fileprivate var reason: String? {
        switch self {
        case .backingOff(_, let reason, let seconds), .crashLooping(_, let reason, let seconds): "\(reason); starts again in \(seconds) s"
        case .pending(let reason), .unhealthy(let reason): reason
        case .starting, .ready, .stopping: nil
        }
    }

    fileprivate var exitCode: Int? {
        switch self {
        case .backingOff(let code, _, _), .crashLooping(let code, _, _): code
        case .pending, .starting, .ready, .unhealthy, .stopping: nil
        }
    }
}
