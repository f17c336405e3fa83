import GRDB
import Models
import Store
import Synchronization
import TestSupport

/// The platform's operations cut down to the store, since the stations that do the rest are not this panel's.
final class RecordedOperations: AppOperations {
    let store: DataStore
    private let calls = Mutex<[String]>([])
    private let statuses = Mutex<[ReplicaStatus]>([])

    init(store: DataStore) { self.store = store }

    var recorded: [String] { calls.withLock { $0 } }
    private func record(_ call: String) { calls.withLock { $0.append(call) } }
    func show(_ replicas: [ReplicaStatus]) { statuses.withLock { $0 = replicas } }

    func createApp(named name: String, owner: Principal) async throws(MoorError) -> AppID {
        throw MoorError(.internalError, "not offered by the panel")
    }

    func deleteApp(_ appID: AppID) async throws(MoorError) { throw MoorError(.internalError, "not offered by the panel") }

    func scale(_ appID: AppID, to counts: [String: Int], by principal: Principal) async throws(MoorError) {
        record("scale \(counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")) by \(principal.username)")
    }

    func setResources(
        _ appID: AppID, process: String, to wish: ResourceWish, reset: Bool, by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int? { throw MoorError(.internalError, "not offered by the panel") }

    func rollback(_ appID: AppID, to number: Int?, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int {
        record("rollback v\(number ?? 0) by \(principal.username)")
        await log.line("v4: 1 of 1 <replicas> ready")
        if number == 1 { throw MoorError(.conflict, "the image of v1 is gone", hint: "choose a later release") }
        return 4
    }

    func setConfig(_ appID: AppID, set: [String: String], unset: [String], by principal: Principal, log: DeployLog)
        async throws(MoorError) -> Int?
    { throw MoorError(.internalError, "not offered by the panel") }

    func config(_ appID: AppID) async throws(MoorError) -> [String: String] { throw MoorError(.internalError, "not offered by the panel") }

    func setAccess(_ appID: AppID, mode: AccessMode) async throws(MoorError) {
        record("access \(mode.rawValue)")
        try await store.write { try $0.execute(sql: "UPDATE apps SET access = ? WHERE id = ?", arguments: [mode, appID]) }
    }

    func setCollaborator(_ appID: AppID, username: String, role: AppRole?) async throws(MoorError) {
        record("\(username) \(role?.rawValue ?? "none")")
        guard username != "nobody" else { throw MoorError(.notFound, "there is no user “nobody”", hint: "add the account first") }
    }

    func replicas(_ appID: AppID) async -> [ReplicaStatus] { statuses.withLock { $0.filter { $0.appID == appID } } }

    func logs(_ appID: AppID, process: String?, tail: Int, follow: Bool) async throws(MoorError) -> AsyncThrowingStream<LogLine, any Error>
    {
        AsyncThrowingStream { $0.finish() }
    }

    func buildLog(_ buildID: BuildID) async throws(MoorError) -> String { "-----> Python app\n       <b>installing</b>\n" }

    func url(of name: AppName) -> String { "http://\(name).localhost:8080" }
}
