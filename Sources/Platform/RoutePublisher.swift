import GRDB
import Logging
import Models
import ServiceLifecycle
import Store

/// Keeps the gateway's routes equal to what the rows and the orchestrator say: each app's host to the ready web replicas
/// of its live release.
actor RoutePublisher: Service {
    private let store: DataStore
    private let logger: Logger
    private var orchestrator: (any Orchestrator)?
    private var traffic: (any TrafficDirector)?
    private var viewerEpoch: UInt64 = 0
    private var published: RouteSnapshot?
    /// Passes asked for and passes begun: a caller waits for a pass that began after it asked.
    private var isRunning = false
    private var next: [CheckedContinuation<Void, Never>] = []

    init(store: DataStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// The gateway needs accounts, and accounts tell this actor of changes: so the two ends are attached afterwards.
    func attach(orchestrator: any Orchestrator, traffic: any TrafficDirector) {
        self.orchestrator = orchestrator
        self.traffic = traffic
    }

    /// Republishes at each change of the replicas.
    func run() async throws {
        guard let orchestrator else { return }
        await refresh()
        for await _ in await orchestrator.changes(of: nil).cancelOnGracefulShutdown() {
            await refresh()
        }
    }

    /// Voids what the gateway remembers of viewers.
    func viewersChanged() async {
        viewerEpoch += 1
        await refresh()
    }

    /// Publishes the routes as they are now; returns when the gateway uses them.
    func refresh() async {
        if isRunning {
            await withCheckedContinuation { next.append($0) }
            return
        }
        isRunning = true
        await pass()
        while !next.isEmpty {
            let waiting = next
            next = []
            await pass()
            for continuation in waiting { continuation.resume() }
        }
        isRunning = false
    }

    private func pass() async {
        guard let orchestrator, let traffic else { return }
        do {
            let rows = try await store.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT routes.host, apps.id, apps.name, apps.liveReleaseID, releases.number FROM routes
                        JOIN apps ON apps.id = routes.appID LEFT JOIN releases ON releases.id = apps.liveReleaseID
                        WHERE apps.deletingAt IS NULL
                        """
                ).map { LiveRoute(host: $0[0], appID: $0[1], app: $0[2], releaseID: $0[3], number: $0[4]) }
            }
            let web = Dictionary(grouping: await orchestrator.replicas(of: nil).filter { $0.process == "web" }, by: \.releaseID)
            var snapshot = RouteSnapshot(viewerEpoch: viewerEpoch)
            for row in rows {
                snapshot.routes[row.host] = row.route(replicas: row.releaseID.flatMap { web[$0] } ?? [])
            }
            guard snapshot != published else { return }
            await traffic.publish(snapshot)
            published = snapshot
        } catch {
            logger.error("routes could not be read; the gateway keeps the last ones", metadata: ["error": "\(error)"])
        }
    }
}

/// A host, its app and the release it serves, as the rows have it.
struct LiveRoute: Sendable {
    var host: String
    var appID: AppID
    var app: AppName
    var releaseID: ReleaseID?
    var number: Int?

    func route(replicas: [ReplicaStatus]) -> RouteSnapshot.Route {
        let ready = replicas.filter { $0.state == .ready }.compactMap(\.endpoint)
        let reason =
            switch (number, replicas.first?.state) {
            case (nil, _): "\(app) has no release yet; git push brings one up"
            case (let number?, nil): "v\(number) has no web replica; is it scaled to zero?"
            case (let number?, .backingOff(_, let why, let seconds)): "replicas of v\(number) end: \(why); next start in \(seconds) s"
            case (let number?, .unhealthy(let why)): "replicas of v\(number) are unhealthy: \(why)"
            case (let number?, let state?): "replicas of v\(number) are \(state.word)"
            }
        // Sorted, so that an equal set is an equal snapshot and nothing is published for nothing.
        return .init(appID: appID, app: app, endpoints: ready.sorted { "\($0)" < "\($1)" }, emptyReason: ready.isEmpty ? reason : "")
    }
}
