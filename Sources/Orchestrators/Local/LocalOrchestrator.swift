package import AsyncHTTPClient
package import Engine
package import Logging
package import Models
import ServiceLifecycle
package import Store

/// Runs replicas as containers of one engine on this machine (Docker Engine API).
///
/// State that must survive is a row: a replica's row stands before its container and goes after it. What this actor holds
/// is made of the rows and of what the engine says. `Plan` and `Replica` decide, this actor does. `run()` owns every task.
package actor LocalOrchestrator: Orchestrator, Service {
    /// Called once an app's network exists and before its first container: binds what must listen there, answers environment
    /// for the app's processes.
    ///
    /// Podman makes the bridge with the first container, so the address may not be there yet: bind with `IP_FREEBIND`.
    package typealias NetworkReady = @Sendable (_ app: AppName, _ gatewayAddress: String) async throws -> [String: String]

    /// Puts an image back that the engine no longer has.
    package typealias ImageRestore = @Sendable (_ reference: String) async throws(MoorError) -> Void

    struct AppState {
        var app: AppName
        /// nil until somebody said what should run.
        var desired: Desired?
        var replicas: [ReplicaID: Replica] = [:]
        var network: Task<AppNetwork, any Error>?
        var isReconciling = false
        var mustReconcileAgain = false
        var wakeAt: Instant?
    }

    let configuration: LocalOrchestratorConfiguration
    let store: DataStore
    let engine: EngineClient
    let networkReady: NetworkReady
    let restoreImage: ImageRestore
    let probe: Probe
    let logger: Logger
    nonisolated let names: PlatformNames
    let firewall: Firewall
    private let ownsProbe: Bool

    var apps: [AppID: AppState] = [:]
    /// Whether what an earlier process left has been looked through.
    var isAdopted = false
    var tails = TailKeeper()
    /// By the value of their containers' label.
    var oneOffs: [String: OneOffState] = [:]
    /// The latest containers that ended before their start was noted.
    var earlyEnds: [String] = []
    /// GPUs of replicas whose containers are being created.
    var devicesInHand: [ReplicaID: [String]] = [:]
    /// The user of each image, which never changes.
    var imageUsers: [String: String] = [:]
    /// Networks are made one after the other, so that two never get one subnet.
    var lastNetwork: Task<AppNetwork, any Error>?
    var buildNetworks: [Int: AppNetwork] = [:]
    /// Who has a place on this machine and who waits for one.
    var capacity = Capacity()
    var waitingLaunches: [(AppID, ReplicaID)] = []
    var runningLaunches = 0
    var imagesInTheMaking: Set<String> = []
    var observers: [Int: (appID: AppID?, continuation: AsyncStream<Void>.Continuation)] = [:]
    var nextObserver = 0

    /// Work for the tasks of `run()`. Its length is bounded by the number of replicas, as none is put in twice.
    let work: AsyncStream<Work>
    let workInput: AsyncStream<Work>.Continuation

    enum Work: Sendable {
        case reconcile(AppID)
        case launch(AppID, ReplicaID)
        case watch(AppID, ReplicaID, containerID: String)
        case bury(AppID, ReplicaID, containerID: String, exitCode: Int?)
        case finish(AppID, ReplicaID)
        case discard(containerID: String)
        case restore(AppID, image: String)
        case follow(oneOff: String)
        case stop(oneOff: String)
        case wake(AppID, at: Instant)
        case audit
    }

    /// - Parameter probe: for health checks; nil for one of its own.
    package init(
        configuration: LocalOrchestratorConfiguration, store: DataStore, engine: EngineClient, networkReady: @escaping NetworkReady,
        restoreImage: @escaping ImageRestore, probe: HTTPClient? = nil, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.engine = engine
        self.networkReady = networkReady
        self.restoreImage = restoreImage
        self.probe = Probe(http: probe ?? Probe.makeClient())
        ownsProbe = probe == nil
        self.logger = logger
        names = PlatformNames(platformID: configuration.platformID)
        firewall = Firewall(prefix: names.bridgePrefix, insidePort: configuration.insidePort, logger: logger)
        (work, workInput) = AsyncStream.makeStream(of: Work.self)
    }

    /// Works until graceful shutdown or cancellation. The replicas go on without it.
    package func run() async throws {
        await withTaskGroup { group in
            group.addTask { await self.serve() }
            group.addTask {
                // Returns on cancellation too.
                try? await gracefulShutdown()
            }
            await group.next()
            group.cancelAll()
        }
        if ownsProbe { try? await probe.http.shutdown() }
    }

    private func serve() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.followEvents() }
            group.addTask { await self.resync() }
            group.addTask { await self.watchDisks() }
            for await item in work {
                group.addTask { await self.perform(item) }
            }
            group.cancelAll()
        }
    }

    private func perform(_ item: Work) async {
        switch item {
        case .reconcile(let appID): await reconcile(appID)
        case .launch(let appID, let replicaID): await launch(appID, replicaID)
        case .watch(let appID, let replicaID, let containerID): await watch(appID, replicaID, containerID: containerID)
        case .bury(let appID, let replicaID, let containerID, let exitCode):
            await bury(appID, replicaID, containerID: containerID, exitCode: exitCode)
        case .finish(let appID, let replicaID): await finishUntilDone(appID, replicaID)
        case .discard(let containerID): try? await engine.removeContainer(containerID)
        case .restore(let appID, let image): await restore(image, of: appID)
        case .follow(let oneOff): await follow(oneOff: oneOff)
        case .stop(let oneOff): await stop(oneOff: oneOff)
        case .wake(let appID, let instant):
            try? await ContinuousClock().sleep(until: instant)
            woke(appID, at: instant)
        case .audit: try? await audit()
        }
    }

    private func woke(_ appID: AppID, at instant: Instant) {
        guard !Task.isCancelled, apps[appID]?.wakeAt == instant else { return }
        apps[appID]?.wakeAt = nil
        workInput.yield(.reconcile(appID))
    }
}
