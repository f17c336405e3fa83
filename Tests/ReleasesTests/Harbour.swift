import Foundation
import GRDB
import Logging
import Models
import Store
import Synchronization
import TestSupport
import Testing

@testable import Releases

/// What happened, in order, and what was written to the pusher.
final class Journal: Sendable {
    private let state = Mutex<[String]>([])

    func note(_ entry: String) { state.withLock { $0.append(entry) } }
    var entries: [String] { state.withLock { $0 } }
    func clear() { state.withLock { $0.removeAll() } }
    var log: DeployLog { DeployLog { self.note($0) } }
}

/// A condition that one side opens and the other waits for.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func pass() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}

/// One app on a real database with a scripted orchestrator: what a release's test starts from.
struct Harbour: Sendable {
    let store: DataStore
    let admin: Principal
    let app: AppRecord
    let orchestrator: ScriptedOrchestrator
    /// Calls to the orchestrator and the gateway.
    let journal: Journal
    /// Lines for the pusher.
    let lines: Journal
    let removed: Journal
    /// Why the next removal of images is refused, once.
    let inUse: Journal
    let configuration: ReleasesConfiguration
    /// What drains do.
    let draining: @Sendable ([Endpoint]) async -> Int
    let service: ReleaseService

    var appID: AppID { app.id! }

    static func with(
        keptReleases: Int = 10, slack: Duration = .seconds(20), pauseLimit: Duration = .seconds(3600),
        draining: @escaping @Sendable ([Endpoint]) async -> Int = { _ in 0 },
        _ body: (Harbour) async throws -> Void
    ) async throws {
        try await withDataStore { store, admin in
            try await withScratchFolder { folder in
                let configuration = ReleasesConfiguration(
                    keyFile: folder.appending(path: "key").path, panelURL: "http://localhost:8080",
                    appURL: { "http://\($0).localhost:8080" }, domain: "localhost", pauseLimit: pauseLimit, keptReleases: keptReleases,
                    readySlack: slack, retryDelay: .milliseconds(5))
                let journal = Journal()
                let app = try await store.makeApp("sales", owner: admin)
                let harbour = Harbour(
                    store: store, admin: admin, app: app, journal: journal, configuration: configuration, draining: draining)
                try await body(harbour)
                await harbour.service.stop()
            }
        }
    }

    private init(
        store: DataStore, admin: Principal, app: AppRecord, journal: Journal, configuration: ReleasesConfiguration,
        draining: @escaping @Sendable ([Endpoint]) async -> Int
    ) {
        self.store = store
        self.admin = admin
        self.app = app
        self.journal = journal
        self.configuration = configuration
        self.draining = draining
        (lines, removed, inUse) = (Journal(), Journal(), Journal())
        orchestrator = ScriptedOrchestrator { journal.note($0) }
        service = Self.makeService(store, orchestrator, journal, removed, inUse, configuration, draining)
    }

    private static func makeService(
        _ store: DataStore, _ orchestrator: ScriptedOrchestrator, _ journal: Journal, _ removed: Journal, _ inUse: Journal,
        _ configuration: ReleasesConfiguration, _ draining: @escaping @Sendable ([Endpoint]) async -> Int
    ) -> ReleaseService {
        let traffic = TrafficControl(
            refresh: {
                let live = try? await store.read { db in
                    try Int.fetchOne(db, sql: "SELECT number FROM releases WHERE state = 'live'")
                }
                journal.note("traffic to \(live.flatMap { $0 }.map { "v\($0)" } ?? "nothing")")
            },
            drain: { endpoints, deadline, webSockets in
                journal.note("drain \(endpoints.count)\(webSockets ? "" : " of requests")")
                guard deadline > .zero else { return 1 }
                return await draining(endpoints)
            },
            cut: { endpoints in journal.note("cut \(endpoints.count)") })
        return ReleaseService(
            configuration: configuration, store: store, orchestrator: orchestrator, traffic: traffic,
            removeImages: { images throws(MoorError) in
                if let reason = inUse.entries.last {
                    inUse.clear()
                    throw MoorError(.conflict, reason)
                }
                for image in images { removed.note("image \(image)") }
                try await store.write { db in
                    for image in images {
                        try db.execute(sql: "UPDATE images SET removedAt = ? WHERE id = ?", arguments: [now(), image])
                    }
                }
            },
            removeSource: { app throws(MoorError) in journal.note("source of \(app.name) removed") },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// A service over the same rows and replicas, as the next start has one.
    func restarted() -> ReleaseService {
        Self.makeService(store, orchestrator, journal, removed, inUse, configuration, draining)
    }

    static let web = [ProcessSpec(name: "web", command: "gunicorn app:server", replicas: 2, health: HealthCheck(timeoutSeconds: 0))]

    func image(_ formation: Formation = web) async throws -> BuiltImage {
        let image = try await store.makeImage(for: app, formation: formation)
        return BuiltImage(imageID: image.id!, digest: image.digest, reference: image.reference, formation: formation)
    }

    @discardableResult
    func push(_ formation: Formation = web, to service: ReleaseService? = nil, canary: Int? = nil) async throws -> Int {
        try await push(image: image(formation), to: service, canary: canary)
    }

    @discardableResult
    func push(image: BuiltImage, to service: ReleaseService? = nil, canary: Int? = nil) async throws -> Int {
        let push = try await store.read { db in
            try PushID.fetchOne(
                db, sql: "SELECT pushID FROM builds JOIN images ON images.buildID = builds.id WHERE images.id = ?",
                arguments: [image.imageID])!
        }
        return try await (service ?? self.service).deploy(
            appID: appID, image: image, pushID: push, by: admin, description: "a change", canaryPercent: canary, log: lines.log)
    }

    /// Such as ["v1 superseded", "v2 live"].
    func releases() async throws -> [String] {
        try await store.read { db in
            try ReleaseRecord.order(Column("number")).fetchAll(db).map { "v\($0.number) \($0.state.rawValue)" }
        }
    }

    func release(_ number: Int) async throws -> ReleaseRecord {
        let release = try await store.read { db in try ReleaseRecord.filter(Column("number") == number).fetchOne(db) }
        return try #require(release)
    }

    func liveNumber() async throws -> Int? {
        try await store.read { db in
            try Int.fetchOne(db, sql: "SELECT number FROM releases JOIN apps ON apps.liveReleaseID = releases.id")
        }
    }

    /// Returns when the journal has the entry; the time limit of the test ends a wait in vain.
    func wait(for entry: String, in journal: Journal? = nil) async throws {
        while !(journal ?? self.journal).entries.contains(entry) { try await Task.sleep(for: .milliseconds(2)) }
    }
}

/// The error that the work throws, as the one type there is.
func failure(_ work: () async throws -> some Any) async -> MoorError? {
    do {
        _ = try await work()
        return nil
    } catch { return error as? MoorError }
}

/// As `failure`, where there has to be one.
func refusal(sourceLocation: SourceLocation = #_sourceLocation, _ work: () async throws -> some Any) async throws -> MoorError {
    let error = await failure(work)
    return try #require(error, sourceLocation: sourceLocation)
}

/// The work fails with that code.
///
/// A function rather than `#expect` around a closure: of two such closures in one closure the compiler (6.3.1) keeps one
/// and calls it in both places.
func expectRefusal(
    _ code: MoorError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ work: () async throws -> some Any
) async throws {
    let error = try await refusal(sourceLocation: sourceLocation, work)
    #expect(error.code == code, sourceLocation: sourceLocation)
}
