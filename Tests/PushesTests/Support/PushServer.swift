import Foundation
import GRDB
import Hummingbird
import Logging
import Models
import Store
import TestSupport

@testable import Pushes

/// The station behind a real HTTP server on loopback, with a store and a scratch folder of its own.
struct PushServer: Sendable {
    let folder: URL
    let port: Int
    let store: DataStore
    let service: PushService
    let deployer: TestDeployer
    let ada: Principal

    /// Runs `body` against a server that is up, then stops everything.
    static func run(
        maximumPushBytes: Int64 = 2 << 30, maximumWaiting: Int = 10, minimumFreeBytes: Int64 = 1,
        deploy: @escaping TestDeployer.Deploy = { _, _, _ in }, _ body: (PushServer) async throws -> Void
    ) async throws {
        try await withScratchFolder { folder in
            try await withDataStore { store, ada in
                let people = try await TestPeople(store: store, ada: ada)
                let deployer = TestDeployer(deploy)
                let listening = Signal()
                let configuration = PushesConfiguration(
                    repositories: folder.appending(path: "repositories").path, hookSocket: folder.appending(path: "h.sock").path,
                    moorExecutable: moor, hooksFolder: folder.appending(path: "hooks").path, maximumPushBytes: maximumPushBytes,
                    minimumFreeBytes: minimumFreeBytes, gitDeadline: .seconds(900), maximumWaiting: maximumWaiting)
                let service = PushService(
                    configuration: configuration, store: store, authenticator: people, operations: TestOperations(store: store),
                    deployer: deployer, appURL: { "http://\($0).localhost" },
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                    onListening: { listening.fire() })
                try await service.resume()
                let router = Router()
                service.addRoutes(to: router)
                let (ports, port) = AsyncStream<Int>.makeStream()
                let app = Application(
                    router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
                    onServerRunning: { channel in
                        port.yield(channel.localAddress?.port ?? 0)
                        port.finish()
                    }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await service.run() }
                    group.addTask { try await app.run() }
                    await listening.wait()
                    var iterator = ports.makeAsyncIterator()
                    let server = PushServer(
                        folder: folder, port: await iterator.next() ?? 0, store: store, service: service, deployer: deployer, ada: ada)
                    try await body(server)
                    group.cancelAll()
                    while let result = await group.nextResult() {
                        if case .failure(let error) = result, !(error is CancellationError) { throw error }
                    }
                }
            }
        }
    }

    /// The binary that the package builds beside its tests.
    static var moor: String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "moor").path
    }

    func url(_ app: String, user: String = "ada") -> String { "http://\(user):secret@127.0.0.1:\(port)/git/\(app).git" }

    func git(_ arguments: String..., in name: String = "work", environment: [String: String] = [:]) async throws -> GitResult {
        try await runGit(arguments, in: folder.appending(path: name), home: folder, environment: environment)
    }

    /// The same, but it must succeed.
    @discardableResult
    func ok(_ arguments: String..., in name: String = "work", environment: [String: String] = [:]) async throws -> String {
        let result = try await runGit(arguments, in: folder.appending(path: name), home: folder, environment: environment)
        guard result.succeeded else { throw GitFailed(arguments: arguments, output: result.output) }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    struct GitFailed: Error { var arguments: [String], output: String }

    /// A work folder with one commit on `main`.
    func makeWork(_ name: String = "work", files: [String: String] = ["app.py": "print('hello')\n"]) async throws {
        try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
        try await ok("init", "-q", "-b", "main", in: name)
        try await commit(files, message: "first", in: name)
    }

    func commit(_ files: [String: String], message: String, in name: String = "work") async throws {
        for (path, text) in files {
            let file = folder.appending(path: name).appending(path: path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try await ok("add", "-A", in: name)
        try await ok("commit", "-q", "--allow-empty", "-m", message, in: name)
    }

    func repository(_ app: String) async throws -> String {
        let record = try await record(app)
        return service.repositories.path(of: record.id!)
    }

    func record(_ app: String) async throws -> AppRecord {
        let record = try await store.read { db in try AppRecord.filter(Column("name") == app).fetchOne(db) }
        guard let record else { throw MoorError(.notFound, app) }
        return record
    }

    /// What a ref of the app's repository points to; nil where there is none.
    func ref(_ name: String, of app: String) async throws -> String? {
        try GitObjects(path: try await repository(app)).target(of: name)
    }

    func pushes() async throws -> [PushRecord] { try await store.read { db in try PushRecord.order(Column("id")).fetchAll(db) } }

    /// Nothing of a push that was not accepted is left in the repository.
    func quarantines(of app: String) async throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: try await repository(app) + "/objects").filter(Repositories.isQuarantine)
    }
}
