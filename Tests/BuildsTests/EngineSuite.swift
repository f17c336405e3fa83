import AsyncHTTPClient
import Builds
import Engine
import Foundation
import GRDB
import Logging
import Models
import Store
import TestSupport
import Testing

/// One engine with a base image for all tests of a suite; its start and the base image's import take longer than they do.
struct EngineSuite: SuiteTrait, TestScoping {
    @TaskLocal static var engine: PodmanFixture?
    private static let turns = Turns()

    private actor Turns {
        private var isTaken = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func take() async {
            if isTaken { await withCheckedContinuation { waiting.append($0) } } else { isTaken = true }
        }

        func give() {
            if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
        }
    }

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        // One engine at a time: builds without a network of their own are on Podman's default one, whose bridge and
        // addresses all engines of a host think theirs.
        await Self.turns.take()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await withPodman { engine in
                    try await Self.$engine.withValue(engine) { try await function() }
                })
        } catch {
            outcome = .failure(error)
        }
        await Self.turns.give()
        try outcome.get()
    }
}

extension Trait where Self == EngineSuite {
    static var engine: Self { EngineSuite() }
}

/// A build service on a store and a folder of its own, in the suite's engine.
struct Workshop: Sendable {
    let podman: PodmanFixture
    let store: DataStore
    let app: AppRecord
    let owner: Principal
    let folder: URL
    let engine: EngineClient
    let service: BuildService

    var platformID: String { folder.lastPathComponent.lowercased() }

    /// Inserts a push's row and builds.
    func build(_ files: [String: String], log: DeployLog = .discard) async throws -> (image: BuiltImage, buildID: BuildID) {
        let push = try await push(files)
        let image = try await service.build(push.0, source: push.1, log: log)
        let row = try await store.read { db in try ImageRecord.fetchOne(db, key: image.imageID) }
        return (image, try #require(row).buildID)
    }

    func push(_ files: [String: String]) async throws -> (ReceivedPush, InMemorySourceTree) { try await push(InMemorySourceTree(files)) }

    func push(_ tree: InMemorySourceTree) async throws -> (ReceivedPush, InMemorySourceTree) {
        let appID = try #require(app.id)
        let row = try await store.write { db in
            var row = PushRecord(
                appID: appID, ref: "refs/heads/main", afterCommit: tree.commitID, subject: "t", state: .deploying, startedAt: now())
            try row.insert(db)
            return row
        }
        let push = ReceivedPush(
            pushID: try #require(row.id), appID: appID, app: app.name, pusher: owner, commitID: tree.commitID, subject: "t")
        return (push, tree)
    }

    /// The builds' states, newest first.
    func states() async throws -> [BuildRecord] {
        try await store.read { db in try BuildRecord.fetchAll(db, sql: "SELECT * FROM builds ORDER BY id DESC") }
    }

    /// What a command says in a fresh container of the image, as the image's own user.
    func run(_ image: String, _ command: String...) async throws -> String {
        // Root may lack the capability for the limits that podman asks for by itself.
        let options = ["--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        return try await podman.podman(arguments: ["run"] + options + [image] + command)
    }

    /// Names of the containers that are there, running or not.
    func containers() async throws -> String { try await podman.podman("ps", "--all", "--format", "{{.Names}}") }
}

/// - Parameters:
///   - packs: makes more buildpacks in a folder of the test's own, and says where.
///   - script: a buildpack of the test's own is put before ours: what it runs where a tree has a `script.txt`.
func withWorkshop(
    script: String? = nil, packs: (@Sendable (URL) throws -> String)? = nil, limits: BuildsConfiguration.Limits = .init(),
    socketPath: String? = nil, logger: Logger = Logger(label: "test"),
    _ change: @Sendable (inout BuildsConfiguration) -> Void = { _ in },
    _ body: @Sendable (Workshop) async throws -> Void
) async throws {
    let podman = try #require(EngineSuite.engine)
    try await withDataStore { store, owner in
        try await withScratchFolder { folder in
            var roots = [shippedBuildpacks]
            if let script {
                let pack = folder.appending(path: "packs/script")
                try FileManager.default.createDirectory(at: pack, withIntermediateDirectories: true)
                try Data(
                    "id: script\nsummary: x\nfix: x\nrules:\n  - files: [script.txt]\n    dependencies: [script.txt]\n    install: go\n"
                        .utf8
                )
                .write(to: pack.appending(path: "buildpack.yaml"))
                try Data("FROM {{base}} AS dependencies\nWORKDIR /app\nRUN \(script)\nFROM dependencies\nCOPY . /app/\n".utf8)
                    .write(to: pack.appending(path: "Containerfile"))
                roots.insert(folder.appending(path: "packs").path, at: 0)
            }
            if let packs { roots.insert(try packs(folder), at: 0) }
            let bundle = "/etc/ssl/certs/ca-certificates.crt"
            var configuration = BuildsConfiguration(
                buildpackRoots: roots, logs: folder.appending(path: "logs").path, platformID: folder.lastPathComponent.lowercased(),
                caBundle: FileManager.default.fileExists(atPath: bundle) ? bundle : nil, limits: limits,
                scratch: folder.appending(path: "scratch").path, baseArchives: baseArchives)
            change(&configuration)
            var http = HTTPClient.Configuration()
            // An engine that is down is told at once.
            http.connectionPool.retryConnectionEstablishment = false
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: http)
            let engine = EngineClient(socketPath: socketPath ?? podman.socketPath, http: client)
            let service = BuildService(configuration: configuration, store: store, engine: engine, logger: logger)
            let shop = Workshop(
                podman: podman, store: store, app: try await store.makeApp("sales", owner: owner), owner: owner, folder: folder,
                engine: engine, service: service)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(shop)) } catch { outcome = .failure(error) }
            await service.stop()
            try await client.shutdown()
            try outcome.get()
        }
    }
}

/// Among the build products, so that the base image is made once for all runs of the tests.
private let baseArchives = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.build/base-images").standardized
    .path

/// What a build said, as a pusher would see it.
actor Heard {
    private(set) var lines: [String] = []
    private var isOver = false
    private var waiting: (text: String, found: CheckedContinuation<Void, Never>)?

    nonisolated var log: DeployLog { DeployLog { await self.hear($0) } }

    private func hear(_ line: String) {
        lines.append(line)
        if let waiting, line.contains(waiting.text) {
            waiting.found.resume()
            self.waiting = nil
        }
    }

    /// Returns once a line with that text came, or nothing more will come.
    func wait(for text: String) async {
        if isOver || lines.contains(where: { $0.contains(text) }) { return }
        await withCheckedContinuation { waiting = (text, $0) }
    }

    /// Nothing more will be heard.
    func end() {
        isOver = true
        waiting?.found.resume()
        waiting = nil
    }

    func contains(_ text: String) -> Bool { lines.contains { $0.contains(text) } }
}
