import GRDB
import Models
import Store
import TestSupport

/// ada (admin), dave (developer) and vera (viewer), each with the password "secret".
struct TestPeople: Authenticator {
    private var principals: [String: Principal] = [:]

    init(store: DataStore, ada: Principal) async throws {
        principals["ada"] = ada
        for (name, role) in [("dave", PlatformRole.developer), ("vera", .viewer)] {
            let id = try await store.write { db in
                var user = UserRecord(username: name, name: name, email: "\(name)@example.com", role: role, createdAt: now())
                try user.insert(db)
                return user.id!
            }
            principals[name] = Principal(userID: id, username: name, role: role, means: .password)
        }
    }

    func principal(username: String, password: String, address: String) async throws(MoorError) -> Principal {
        guard password == "secret", let principal = principals[username] else {
            throw MoorError(.unauthenticated, "the user name or the password is wrong")
        }
        return principal
    }

    func principal(bearer token: String, address: String) async throws(MoorError) -> Principal {
        try await principal(username: "ada", password: token, address: address)
    }

    func principal(session cookie: String) async throws(MoorError) -> Principal? { nil }
}

/// Creates apps in the store, and nothing else.
struct TestOperations: AppOperations {
    let store: DataStore
    private static let unused = MoorError(.internalError, "not part of this test")

    func createApp(named name: String, owner: Principal) async throws(MoorError) -> AppID {
        try await store.write { db in
            var app = AppRecord(name: try AppName(validating: name), ownerID: owner.userID, access: .signedIn, createdAt: now())
            try app.insert(db)
            return app.id!
        }
    }

    func deleteApp(_ appID: AppID) async throws(MoorError) { throw Self.unused }
    func scale(_ appID: AppID, to counts: [String: Int], by principal: Principal) async throws(MoorError) { throw Self.unused }
    func setResources(
        _ appID: AppID, process: String, to wish: ResourceWish, reset: Bool, by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int? { throw Self.unused }

    func rollback(_ appID: AppID, to number: Int?, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int {
        throw Self.unused
    }
    func setConfig(_ appID: AppID, set: [String: String], unset: [String], by principal: Principal, log: DeployLog)
        async throws(MoorError) -> Int?
    { throw Self.unused }
    func config(_ appID: AppID) async throws(MoorError) -> [String: String] { throw Self.unused }
    func setAccess(_ appID: AppID, mode: AccessMode) async throws(MoorError) { throw Self.unused }
    func setCollaborator(_ appID: AppID, username: String, role: AppRole?) async throws(MoorError) { throw Self.unused }
    func replicas(_ appID: AppID) async -> [ReplicaStatus] { [] }
    func logs(_ appID: AppID, process: String?, tail: Int, follow: Bool) async throws(MoorError) -> AsyncThrowingStream<LogLine, any Error>
    {
        throw Self.unused
    }
    func buildLog(_ buildID: BuildID) async throws(MoorError) -> String { throw Self.unused }
    func url(of name: AppName) -> String { "http://\(name).localhost" }
}
