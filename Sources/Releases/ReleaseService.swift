import GRDB
package import Logging
package import Models
import ServiceLifecycle
package import Store

/// Makes releases and brings them up: deploys, rollbacks, config, scale, and the removal of apps.
///
/// One change of an app at a time, in the order they came. What is under way is in rows, so that `resume` picks up after a
/// crash at any line; what is only in memory (`underWay`) merely delays stopping what the rows no longer name.
package actor ReleaseService: Service {
    let configuration: ReleasesConfiguration
    let store: DataStore
    let orchestrator: any Orchestrator
    let traffic: TrafficControl
    let removeImages: @Sendable ([ImageID]) async throws(MoorError) -> Void
    let removeSource: @Sendable (AppRecord) async throws(MoorError) -> Void
    let logger: Logger

    /// What of an app is between two states, beyond its rows.
    struct UnderWay: Sendable {
        /// Applied beside the live release.
        var rolling: ReleaseID?
        /// The rolling release's web replicas get requests beside the live one's.
        var isMixed = false
        /// Of a release whose replicas come or go one after the other, those that should run.
        var wanted: [ReleaseID: Set<Readiness.Expected>] = [:]
        /// Replicas that get no new requests.
        var out: [ReleaseID: Set<Readiness.Expected>] = [:]
        /// Of those, the ones that still finish what they have.
        var finishing: [ReleaseID: Set<Readiness.Expected>] = [:]
        /// Of those, the ones that have WebSockets left and nothing else; no wave waits for them.
        var lingering: [ReleaseID: Set<Readiness.Expected>] = [:]
        /// Superseded or undone, finishing their requests; oldest first.
        var draining: [ReleaseID] = []
        /// Counts that differ from the rows while a scale is under way.
        var scales: [String: Int]?
    }

    let locks = AppLocks()
    /// Orders what the orchestrator is handed: each workload is computed while its turn lasts.
    let applying = AppLocks()
    var underWay: [AppID: UnderWay] = [:]
    /// The change that holds the app's lock.
    var changes: [AppID: Change] = [:]
    /// Why the change that holds the app's lock should end early.
    var stopRequests: [AppID: MoorError] = [:]
    /// Why the rollout that is under way should be taken back.
    var undoRequests: [AppID: MoorError] = [:]
    /// Who holds the app's rollouts.
    var pauses: [AppID: RolloutPauseRecord] = [:]
    /// The rollouts that are under way, for those who ask.
    var rollouts: [AppID: RolloutUnderWay] = [:]
    /// Wake whoever watches replicas of the app come up.
    var watchers: [AppID: AsyncStream<Void>.Continuation] = [:]
    var retrying: Set<AppID> = []
    var pruning: Set<AppID> = []
    var loadedEnvironment: ProcessEnvironment?
    private var owned: [UInt64: @Sendable () async -> Void] = [:]
    private var interruptible: [UInt64: Task<Void, Never>] = [:]
    private var nextOwned: UInt64 = 0
    private(set) var isStopping = false
    /// The platform is about to stop: nobody will resume what is paused.
    var isClosing = false

    /// - Parameters:
    ///   - removeImages: removes the images from the engine and sets `images.removedAt`; throws where not all could be, such
    ///     as while a container uses one, and is called again then.
    ///   - removeSource: removes what of an app lives outside the rows, its repository, before its row goes; called again
    ///     after a crash or an error.
    package init(
        configuration: ReleasesConfiguration, store: DataStore, orchestrator: any Orchestrator, traffic: TrafficControl,
        removeImages: @escaping @Sendable ([ImageID]) async throws(MoorError) -> Void,
        removeSource: @escaping @Sendable (AppRecord) async throws(MoorError) -> Void = { _ throws(MoorError) in }, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.orchestrator = orchestrator
        self.traffic = traffic
        self.removeImages = removeImages
        self.removeSource = removeSource
        self.logger = logger
    }

    /// Waits for the platform's shutdown, then ends what is under way: rollouts that have not switched traffic fail and
    /// say so, drains are cut short. What is left for later stands in rows.
    package func run() async throws {
        // Cancelled instead of shut down gracefully: the same is to be done.
        try? await gracefulShutdown()
        await stop()
    }

    /// As `run` at the shutdown. Changes asked for from now on are refused.
    package func stop() async {
        isStopping = true
        for appID in changes.keys { stopChange(of: appID, Self.stoppingError) }
        for task in interruptible.values { task.cancel() }
        await settle()
    }

    /// Returns when nothing of ours is under way any more: rollouts, drains, removals of images.
    package func settle() async {
        while let wait = owned.values.first { await wait() }
    }

    static var stoppingError: MoorError {
        MoorError(.unavailable, "the platform is stopping", hint: "try again once it is back")
    }

    /// Asks the change that is under way to end before traffic is switched; too late afterwards.
    func stopChange(of appID: AppID, _ reason: MoorError) {
        stopRequests[appID] = reason
        changes[appID]?.point.cancel(reason)
        watchers[appID]?.yield()
    }

    /// Runs the work in a task that outlives its caller; `settle` awaits it.
    @discardableResult
    func own<T: Sendable>(_ work: @escaping @Sendable () async -> T) -> Task<T, Never> {
        let id = nextOwned
        nextOwned += 1
        let task = Task {
            let result = await work()
            owned[id] = nil
            return result
        }
        owned[id] = { _ = await task.value }
        return task
    }

    /// Runs work whose early end does no harm; `stop` cancels it.
    func interruptibly(_ work: @escaping @Sendable () async -> Void) async {
        guard !isStopping else { return }
        let id = nextOwned
        nextOwned += 1
        let task = Task { await work() }
        interruptible[id] = task
        await task.value
        interruptible[id] = nil
    }

    /// The environment's maker, with the key it needs; the key is read or made on first use.
    func environment() async throws(MoorError) -> ProcessEnvironment {
        if let loadedEnvironment { return loadedEnvironment }
        let nothingSealed = try await store.read { db in
            try ReleaseRecord.fetchCount(db) + ConfigValueRecord.fetchCount(db) + BuildConfigValueRecord.fetchCount(db) == 0
        }
        let key = try KeyFile.load(path: configuration.keyFile, mayCreate: nothingSealed)
        let environment = loadedEnvironment ?? ProcessEnvironment(configuration: configuration, sealer: ConfigSealer(key: key))
        loadedEnvironment = environment
        return environment
    }
}
