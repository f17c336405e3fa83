import Foundation
import GRDB
import Logging
import Models
import Store
import Synchronization
import TestSupport

@testable import Accounts

/// A clock that only the test moves.
final class ManualClock: Sendable {
    private let seconds = Mutex(1_800_000_000.0)
    var now: Double { seconds.withLock { $0 } }
    func advance(_ by: Double) { seconds.withLock { $0 += by } }
}

/// Counts how often what the gateway remembers of viewers was voided.
final class Voidings: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}

/// One service on a database and key folder of its own.
struct Harness {
    var store: DataStore
    var service: AccountService
    var clock: ManualClock
    var voidings: Voidings
    var folder: URL

    /// Cheap enough that a test may hash a dozen times.
    static let cost = PasswordCost(rounds: 16, blockSize: 8, parallelism: 1)

    /// One key for all tests: making one takes longer than most of them.
    private static let key = Result { try SigningKey.newPEM() }

    static func run<T>(_ body: (Harness) async throws -> T) async throws -> T {
        try await withScratchFolder { folder in
            let store = try DataStore(path: folder.appending(path: "moor.sqlite").path)
            let (clock, voidings) = (ManualClock(), Voidings())
            let keys = folder.appending(path: "keys")
            try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
            try Data(key.get().utf8).write(to: keys.appending(path: SigningKey.fileName))
            let service = try await makeService(store, folder: folder, clock: clock, voidings: voidings)
            return try await body(Harness(store: store, service: service, clock: clock, voidings: voidings, folder: folder))
        }
    }

    static func makeService(_ store: DataStore, folder: URL, clock: ManualClock, voidings: Voidings, cost: PasswordCost = cost)
        async throws -> AccountService
    {
        try await AccountService(
            store: store,
            configuration: AccountsConfiguration(
                keyFolder: folder.appending(path: "keys").path, issuer: "http://localhost:8080", passwordCost: cost),
            viewersChanged: { voidings.add() }, logger: Logger(label: "test"), clock: { clock.now })
    }

    /// A user whose password is "correct horse".
    @discardableResult
    func addUser(_ username: String, role: PlatformRole = .developer, name: String = "", email: String = "", groups: [String] = [])
        async throws -> Principal
    {
        try await service.addUser(
            UserSummary(username: username, name: name, email: email, role: role, groups: groups), password: "correct horse")
        return try await service.principal(username: username, password: "correct horse", address: "127.0.0.1")
    }

    func makeApp(_ name: String, owner: Principal, access: AccessMode = .signedIn) async throws -> AppID {
        try await store.write { db in
            var app = AppRecord(name: try AppName(validating: name), ownerID: owner.userID, access: access, createdAt: now())
            try app.insert(db)
            return app.id!
        }
    }

    func name(_ user: Principal, _ role: AppRole, in appID: AppID) async throws {
        try await store.write { try CollaboratorRecord(appID: appID, userID: user.userID, role: role).insert($0) }
    }

    func signIn(_ username: String) async throws -> String {
        try await service.signIn(username: username, password: "correct horse", address: "127.0.0.1")
    }

    /// All the way from a password to the cookie on the app's host.
    func appCookie(_ username: String, _ appID: AppID) async throws -> String {
        let state = String(repeating: "s", count: 43)
        let code = try await service.issueCode(session: signIn(username), appID: appID, state: state)
        return try await service.redeemCode(code, appID: appID, state: state)
    }
}

func errorCode<T>(_ body: () async throws -> T) async -> MoorError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? MoorError)?.code
    }
}
