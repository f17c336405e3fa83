import AsyncHTTPClient
import Engine
import Foundation
import GRDB
import Logging
import Models
import Store
import Subprocess
import TestSupport
import Testing

@testable import Orchestrators

/// The engines that the orchestrator must run on, both as Debian packages them.
enum EngineKind: String, Sendable, CaseIterable {
    case podman, docker
}

/// A platform's orchestrator over a real engine, with an image that holds nothing but busybox.
struct Fixture: Sendable {
    let kind: EngineKind
    /// The engine's own client, for a look from outside.
    let command: @Sendable ([String]) async throws -> String
    let store: DataStore
    let admin: Principal
    let engine: EngineClient
    let platformID: String
    let image = "localhost/moor-busybox:1"

    /// One that works while the body runs.
    func withOrchestrator<T: Sendable>(
        networkReady: @escaping LocalOrchestrator.NetworkReady = { _, _ in [:] },
        restoreImage: @escaping LocalOrchestrator.ImageRestore = { _ throws(MoorError) in throw MoorError(.notFound, "there is none") },
        _ change: (inout LocalOrchestratorConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (LocalOrchestrator) async throws -> T
    ) async throws -> T {
        var configuration = LocalOrchestratorConfiguration(platformID: platformID, backoff: Backoff(first: .milliseconds(300)))
        configuration.probeInterval = .milliseconds(300)
        configuration.stopGraceSeconds = 2
        change(&configuration)
        let orchestrator = LocalOrchestrator(
            configuration: configuration, store: store, engine: engine, networkReady: networkReady, restoreImage: restoreImage,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await orchestrator.run()
                return nil
            }
            group.addTask {
                try await orchestrator.adopt()
                return try await body(orchestrator)
            }
            while let result = try await group.next() {
                guard let result else { continue }
                group.cancelAll()
                return result
            }
            throw CancellationError()
        }
    }

    /// An app with a release to hang replicas on.
    func makeRelease(_ name: String, formation: Formation, number: Int = 1) async throws -> (AppRecord, ReleaseID) {
        let app = try await store.read { db in try AppRecord.filter(Column("name") == name).fetchOne(db) }
        let record = if let app { app } else { try await store.makeApp(name, owner: admin) }
        let image = try await store.makeImage(for: record, formation: formation)
        let releaseID = try await store.write { db in
            var release = ReleaseRecord(
                appID: record.id!, number: number, imageID: image.id!, sealedConfig: Data(), formation: formation, cause: .push,
                description: "test", state: .superseded, createdAt: now())
            try release.insert(db)
            return release.id!
        }
        return (record, releaseID)
    }

    /// The workload that runs `process` so many times.
    func workload(
        _ name: String, _ process: ProcessSpec, count: Int = 1, environment: [String: String] = [:]
    ) async throws -> Workload {
        let (app, releaseID) = try await makeRelease(name, formation: [process])
        return Workload(appID: app.id!, app: app.name, sets: [set(process, releaseID, count: count, environment: environment)])
    }

    func set(_ process: ProcessSpec, _ releaseID: ReleaseID, count: Int = 1, environment: [String: String] = [:]) -> ReplicaSet {
        ReplicaSet(
            releaseID: releaseID, releaseNumber: 1, process: process, count: count, image: image,
            environment: environment.merging(["PORT": "5000"]) { own, _ in own })
    }

    func containers() async throws -> [ContainerSummary] {
        try await engine.listContainers(labels: ["\(Label.platform)=\(platformID)"])
    }
}

/// An HTTP server on $PORT.
func web(_ command: String = "httpd -f -p $PORT", timeout: Int = 30) -> ProcessSpec {
    ProcessSpec(
        name: "web", command: command, resources: Resources(cpuMillis: 500, memoryBytes: 64 << 20, pids: 64),
        health: HealthCheck(timeoutSeconds: timeout))
}

func worker(_ command: String, memory: Int64 = 64 << 20) -> ProcessSpec {
    ProcessSpec(name: "worker", command: command, resources: Resources(cpuMillis: 500, memoryBytes: memory, pids: 64))
}

/// An engine with the busybox image, a store, and nothing left of either afterwards.
func withFixture(_ kind: EngineKind = .podman, _ body: @escaping @Sendable (Fixture) async throws -> Void) async throws {
    switch kind {
    case .podman:
        try await withPodman { podman in
            try await withFixture(
                kind, folder: podman.folder, socketPath: podman.socketPath, command: { try await podman.podman(arguments: $0) }, body)
        }
    case .docker:
        try await withDocker { docker in
            try await withFixture(
                kind, folder: docker.folder, socketPath: docker.socketPath, command: { try await docker.docker(arguments: $0) }, body)
        }
    }
}

private func withFixture(
    _ kind: EngineKind, folder: URL, socketPath: String, command: @escaping @Sendable ([String]) async throws -> String,
    _ body: @escaping @Sendable (Fixture) async throws -> Void
) async throws {
    try await withDataStore { store, admin in
        _ = try await command(["import", try await packBusybox(in: folder), "localhost/moor-busybox:1"])
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: EngineClient.httpConfiguration)
        let fixture = Fixture(
            kind: kind, command: command, store: store, admin: admin, engine: EngineClient(socketPath: socketPath, http: http),
            platformID: UUID().uuidString)
        // By this a run that was broken off finds the bridges and rules to take away.
        try Data(fixture.platformID.utf8).write(to: folder.appending(path: "platform-id"))
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(fixture)) } catch { outcome = .failure(error) }
        await Task { try? await fixture.removeApps() }.value
        try await http.shutdown()
        try outcome.get()
    }
}

extension Fixture {
    fileprivate func removeApps() async throws {
        let apps = try await store.read { db in try AppRecord.fetchAll(db) }
        try await withOrchestrator { orchestrator in
            for app in apps { try await orchestrator.remove(appID: app.id!, app: app.name) }
        }
    }
}

/// - Returns: the path of a tar of the image's files.
private func packBusybox(in folder: URL) async throws -> String {
    let busybox = try #require(
        ["/bin/busybox", "/usr/bin/busybox"].first { FileManager.default.isExecutableFile(atPath: $0) }, "apt-get install busybox-static")
    let root = folder.appending(path: "image")
    let bin = root.appending(path: "bin")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: busybox, toPath: bin.appending(path: "busybox").path)
    for name in [
        "sh", "httpd", "nc", "sleep", "cat", "test", "wget", "id", "echo", "tail", "env", "touch", "kill", "timeout", "true", "stty",
        "head",
        "grep", "wc",
    ] {
        try FileManager.default.createSymbolicLink(atPath: bin.appending(path: name).path, withDestinationPath: "busybox")
    }
    try FileManager.default.createDirectory(
        at: root.appending(path: "tmp"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o1777])
    let tar = folder.appending(path: "image.tar").path
    let packed = try await run(.name("tar"), arguments: ["-C", root.path, "-cf", tar, "."], output: .discarded)
    try #require(packed.terminationStatus.isSuccess)
    return tar
}

extension LocalOrchestrator {
    /// Waits until the replicas of the app are as the body wants them.
    @discardableResult
    func wait(
        for appID: AppID, within limit: Duration = .seconds(40), sourceLocation: SourceLocation = #_sourceLocation,
        until isReached: @escaping @Sendable ([ReplicaStatus]) -> Bool
    ) async throws -> [ReplicaStatus] {
        let changes = changes(of: appID)
        return try await withThrowingTaskGroup(of: [ReplicaStatus]?.self) { group in
            group.addTask {
                let first = await self.replicas(of: appID)
                if isReached(first) { return first }
                for await _ in changes {
                    let now = await self.replicas(of: appID)
                    if isReached(now) { return now }
                }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            let reached = try await group.next() ?? nil
            group.cancelAll()
            if reached == nil {
                let states = self.replicas(of: appID).map { "\($0.name): \($0.state)" }
                Issue.record("it did not come to that; the replicas are \(states)", sourceLocation: sourceLocation)
            }
            return try #require(reached, sourceLocation: sourceLocation)
        }
    }
}
