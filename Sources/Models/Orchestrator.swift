/// An address that answers HTTP/1.1 for one replica.
package struct Endpoint: Codable, Sendable, Hashable, CustomStringConvertible {
    /// An IP address; never a name, so that the gateway looks nothing up.
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Replicas that are alike: one process of one release.
package struct ReplicaSet: Sendable, Hashable {
    package var releaseID: ReleaseID
    /// The v-number of the release.
    package var releaseNumber: Int
    package var process: ProcessSpec
    package var count: Int
    /// Ordinals of 1...count that are not wanted: not yet, or no longer, while releases take turns.
    package var without: Set<Int>
    /// Name or id of the image in the engine.
    package var image: String
    /// The whole environment of the process, `PORT` included. Holds secrets: never logged.
    package var environment: [String: String]

    package init(
        releaseID: ReleaseID, releaseNumber: Int, process: ProcessSpec, count: Int, without: Set<Int> = [], image: String,
        environment: [String: String]
    ) {
        self.releaseID = releaseID
        self.releaseNumber = releaseNumber
        self.process = process
        self.count = count
        self.without = without
        self.image = image
        self.environment = environment
    }
}

/// Everything of one app that should be running now. During a rollout it holds the sets of two releases.
package struct Workload: Sendable, Hashable {
    package var appID: AppID
    package var app: AppName
    package var sets: [ReplicaSet]

    package init(appID: AppID, app: AppName, sets: [ReplicaSet]) {
        self.appID = appID
        self.app = app
        self.sets = sets
    }
}

/// One replica as the orchestrator sees it.
package struct ReplicaStatus: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// There is no room for it yet; nothing of it exists but its row. `reason` says what it needs, for people.
        case pending(reason: String)
        /// Being created, or running but not yet answering its health check.
        case starting
        /// Answers its health check, or (without one) runs.
        case ready
        /// Ended; it is started again after `retryAfter` seconds.
        case backingOff(exitCode: Int?, reason: String, retryAfterSeconds: Int)
        /// The same, and it has ended that soon several times in a row.
        case crashLooping(exitCode: Int?, reason: String, retryAfterSeconds: Int)
        /// Runs, but no good answer came within the health check's time. `reason` says what was seen, for people.
        case unhealthy(reason: String)
        case stopping

        /// The word for people.
        package var word: String {
            switch self {
            case .pending: "pending"
            case .starting: "starting"
            case .ready: "ready"
            case .backingOff: "backing-off"
            case .crashLooping: "crash-looping"
            case .unhealthy: "unhealthy"
            case .stopping: "stopping"
            }
        }
    }

    package var replicaID: ReplicaID
    package var appID: AppID
    package var releaseID: ReleaseID
    package var releaseNumber: Int
    package var process: String
    /// 1-based within its process and release.
    package var ordinal: Int
    package var state: State
    /// Where it answers; nil for a process without HTTP or before it has an address.
    package var endpoint: Endpoint?
    package var restarts: Int
    /// Seconds since 1970 of its start.
    package var startedAt: Double?

    package init(
        replicaID: ReplicaID, appID: AppID, releaseID: ReleaseID, releaseNumber: Int, process: String, ordinal: Int, state: State,
        endpoint: Endpoint?, restarts: Int, startedAt: Double?
    ) {
        self.replicaID = replicaID
        self.appID = appID
        self.releaseID = releaseID
        self.releaseNumber = releaseNumber
        self.process = process
        self.ordinal = ordinal
        self.state = state
        self.endpoint = endpoint
        self.restarts = restarts
        self.startedAt = startedAt
    }

    /// "web.1", as people name it.
    package var name: String { "\(process).\(ordinal)" }
}

/// One line that a replica wrote.
package struct LogLine: Sendable, Hashable {
    package var replica: String
    package var text: String

    package init(replica: String, text: String) {
        self.replica = replica
        self.text = text
    }
}

/// Runs replicas: takes desired state, reports replicas and endpoints. One machine's engine or a cluster behind it.
package protocol Orchestrator: Sendable {
    /// Makes `workload` the desired state of its app and returns without waiting for it to be so. Replicas of sets that
    /// are no longer named are stopped (SIGTERM, then SIGKILL after ten seconds) and removed with their logs.
    /// Applying an equal workload twice changes nothing.
    func apply(_ workload: Workload) async throws(MoorError)

    /// Removes everything of the app: replicas, network. Returns when it is gone.
    func remove(appID: AppID, app: AppName) async throws(MoorError)

    /// The replicas of one app, or of all.
    func replicas(of appID: AppID?) async -> [ReplicaStatus]

    /// An element each time anything about the app's replicas changed; coalesced, so read `replicas(of:)` afterwards.
    func changes(of appID: AppID?) async -> AsyncStream<Void>

    /// The last lines of each matching replica, then, with `follow`, what comes. Replicas that ended since the app's
    /// last change are included as long as the engine has them.
    func logs(appID: AppID, process: String?, tail: Int, follow: Bool) async throws(MoorError) -> AsyncThrowingStream<LogLine, any Error>

    /// The last lines one replica wrote, also after it ended.
    func lastLines(of replicaID: ReplicaID, count: Int) async -> [String]

    /// Runs a command in a fresh container with the image, environment, resources and network of the set's replicas, to its
    /// end. Where the caller is cancelled, the order's limit is over or the session's other end is gone, the command is told
    /// to end as replicas are, and nothing of it is left when this throws.
    /// - Parameter user: the user name of whoever asked.
    /// - Throws: `timedOut` at the limit; a command that fails is no error.
    func run(_ order: CommandOrder, like set: ReplicaSet, appID: AppID, app: AppName, user: String, session: CommandSession)
        async throws(MoorError) -> CommandEnd

    /// Runs a command in a running replica, with its user and rights, to its end or, as above, to the session's.
    func exec(_ order: CommandOrder, in replicaID: ReplicaID, session: CommandSession) async throws(MoorError) -> CommandEnd

    /// Starts a command as `run` does and returns; nobody is at its other end, and it outlives the platform's process. What
    /// it writes is in the logs, under its name and the process "run".
    func start(_ order: CommandOrder, like set: ReplicaSet, appID: AppID, app: AppName, user: String) async throws(MoorError) -> OneOff

    /// Commands in containers of their own: those that run, and the last detached ones that ended.
    func oneOffs(of appID: AppID) async -> [OneOff]

    /// Ends one as replicas are ended; returns once it is told.
    /// - Throws: `notFound` where none of that name runs.
    func stopOneOff(named name: String, of appID: AppID) async throws(MoorError)
}
