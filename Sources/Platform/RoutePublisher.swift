import GRDB
import Logging
import Models
import Releases
import ServiceLifecycle
import Store

/// Keeps the gateway's routes equal to what the rows and the orchestrator say: each app's host to the ready web replicas
/// of its live release.
actor RoutePublisher: Service {
    private let store: DataStore
    private let logger: Logger
    private var orchestrator: (any Orchestrator)?
    private var traffic: (any TrafficDirector)?
    private var serving: @Sendable () async -> [AppID: Serving] = { [:] }
    private var viewerEpoch: UInt64 = 0
    private var published: RouteSnapshot?
    /// What the rows said last, and when that was. Replicas that come and go change none of these: a hundred that start must not
    /// read the rows of a hundred apps each.
    private var known: (epoch: UInt64, hosts: [Host])?
    private var rowsEpoch: UInt64 = 0
    /// Passes asked for and passes begun: a caller waits for a pass that began after it asked.
    private var isRunning = false
    private var next: [CheckedContinuation<Void, Never>] = []

    init(store: DataStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// The gateway needs accounts, and accounts tell this actor of changes: so the two ends are attached afterwards.
    /// - Parameter serving: what the releases know of rollouts that are under way.
    func attach(
        orchestrator: any Orchestrator, traffic: any TrafficDirector, serving: @escaping @Sendable () async -> [AppID: Serving]
    ) {
        self.serving = serving
        self.orchestrator = orchestrator
        self.traffic = traffic
    }

    /// Republishes at each change of the replicas.
    func run() async throws {
        guard let orchestrator else { return }
        await refresh()
        for await _ in await orchestrator.changes(of: nil).cancelOnGracefulShutdown() {
            await passInTurn()
        }
    }

    /// Voids what the gateway remembers of viewers.
    func viewersChanged() async {
        viewerEpoch += 1
        await refresh()
    }

    /// Publishes the routes as rows and replicas are now; returns when the gateway uses them.
    func refresh() async {
        rowsEpoch += 1
        await passInTurn()
    }

    private func passInTurn() async {
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
        var tries = 0
        while true {
            do {
                let serving = await serving()
                let hosts = try await currentHosts()
                let web = await orchestrator.replicas(of: nil).filter { $0.process == "web" }
                let replicas = Dictionary(grouping: web, by: \.appID)
                var snapshot = RouteSnapshot(viewerEpoch: viewerEpoch)
                for host in hosts {
                    snapshot.routes[host.name] = RouteSnapshot.Route.serving(
                        app: host.app, live: host.live, canary: host.canary, scales: host.scales,
                        replicas: host.app.id.flatMap { replicas[$0] } ?? [], beside: host.app.id.flatMap { serving[$0] } ?? Serving())
                }
                guard snapshot != published else { return }
                await traffic.publish(snapshot)
                published = snapshot
                return
            } catch {
                // Whoever waits believes that the routes are new: so it is tried again before giving up.
                tries += 1
                logger.error("routes could not be read", metadata: ["error": "\(error)", "try": "\(tries)"])
                guard tries < 20, (try? await Task.sleep(for: .milliseconds(250))) != nil else { return }
            }
        }
    }

    private func currentHosts() async throws(MoorError) -> [Host] {
        if let known, known.epoch == rowsEpoch { return known.hosts }
        let epoch = rowsEpoch
        let hosts = try await hosts()
        known = (epoch, hosts)
        return hosts
    }

    /// Every host with what decides where it goes.
    private func hosts() async throws(MoorError) -> [Host] {
        try await store.read { db in
            let apps = try AppRecord.filter(Column("deletingAt") == nil).fetchAll(db)
            let byID = Dictionary(uniqueKeysWithValues: apps.map { ($0.id, $0) })
            let live = try ReleaseRecord.filter(apps.compactMap(\.liveReleaseID).contains(Column("id"))).fetchAll(db)
            let liveByID = Dictionary(uniqueKeysWithValues: live.map { ($0.id, $0) })
            let scales = Dictionary(grouping: try ScaleRecord.fetchAll(db), by: \.appID)
            let canaries = Dictionary(
                try CanaryRecord.filter(Column("startedAt") != nil).fetchAll(db).map { ($0.appID, $0) }, uniquingKeysWith: { $1 })
            return try RouteRecord.fetchAll(db).compactMap { route in
                guard let app = byID[route.appID] else { return nil }
                let release = app.liveReleaseID.flatMap { liveByID[$0] }
                return Host(name: route.host, app: app, live: release, canary: canaries[route.appID], scales: scales[route.appID] ?? [])
            }
        }
    }
}

private struct Host: Sendable {
    var name: String
    var app: AppRecord
    var live: ReleaseRecord?
    var canary: CanaryRecord?
    var scales: [ScaleRecord]
}
