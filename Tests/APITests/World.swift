import API
import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Models
import NIOCore
import Store
import TestSupport

/// Who calls, in the order of the permission table's columns.
enum Caller: String, CaseIterable {
    case anonymous
    /// Signed in, and nothing to the app.
    case stranger
    case viewer
    case collaborator
    case owner
    case admin

    /// Their user name; "ada" is there in every test's database.
    var username: String { self == .admin ? "ada" : rawValue }
}

/// A platform's API over a real database: somebody of every kind, an app of restricted access for each to act upon.
struct World {
    var store: DataStore
    var accounts: PlainAccounts
    var apps: PlainApps
    let commands = PlainCommands()
    var users: [Caller: Principal]

    /// The app that only this caller's row of the table touches.
    static func app(for caller: Caller) -> String { "sales-\(caller.rawValue)" }

    static func run<T>(_ body: (World) async throws -> T) async throws -> T {
        try await withDataStore { store, admin in
            let users = try await store.write { db in
                var users: [Caller: Principal] = [.admin: admin]
                for (caller, role) in [
                    (Caller.stranger, PlatformRole.developer), (.viewer, .viewer), (.collaborator, .developer), (.owner, .developer),
                ] {
                    var user = UserRecord(username: caller.username, name: "", email: "", role: role, createdAt: now())
                    try user.insert(db)
                    users[caller] = Principal(userID: user.id!, username: user.username, role: role, means: .password)
                }
                return users
            }
            let world = World(store: store, accounts: PlainAccounts(store: store), apps: PlainApps(store: store), users: users)
            try await world.furnish()
            return try await body(world)
        }
    }

    private func furnish() async throws {
        for caller in Caller.allCases {
            let app = try await store.makeApp(Self.app(for: caller), owner: users[.owner]!)
            try await apps.setAccess(app.id!, mode: .named)
            try await apps.setCollaborator(app.id!, username: "viewer", role: .viewer)
            try await apps.setCollaborator(app.id!, username: "collaborator", role: .collaborator)
            let image = try await store.makeImage(for: app, formation: [ProcessSpec(name: "web", command: "gunicorn app:server")])
            try await store.write { db in
                var release = ReleaseRecord(
                    appID: app.id!, number: 1, imageID: image.id!, sealedConfig: Data(), formation: image.formation, cause: .push,
                    description: "first", userID: app.ownerID, pushID: PushID(1), state: .live, createdAt: now(), liveAt: now())
                try release.insert(db)
                try db.execute(sql: "UPDATE apps SET liveReleaseID = ? WHERE id = ?", arguments: [release.id, app.id])
                var victim = UserRecord(username: "leaver-\(caller.rawValue)", name: "", email: "", role: .viewer, createdAt: now())
                try victim.insert(db)
            }
            if caller != .anonymous { _ = try await accounts.createToken(for: users[caller]!.userID, name: "old", expiresInDays: nil) }
        }
        apps.setReplicas([
            ReplicaStatus(
                replicaID: ReplicaID(1), appID: AppID(1), releaseID: ReleaseID(1), releaseNumber: 1, process: "web", ordinal: 1,
                state: .backingOff(exitCode: 1, reason: "exited with 1", retryAfterSeconds: 4), endpoint: nil, restarts: 2, startedAt: nil)
        ])
    }

    func controller(heartbeat: Duration = .seconds(15), commandIdleLimit: Duration = .seconds(60)) -> APIController {
        APIController(
            store: store, authenticator: accounts, accounts: accounts, operations: apps, builds: apps, commands: commands, version: "1.2.3",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, heartbeat: heartbeat,
            commandIdleLimit: commandIdleLimit)
    }

    func application(heartbeat: Duration = .seconds(15), commandIdleLimit: Duration = .seconds(60)) -> some ApplicationProtocol {
        let router = Router(context: BasicRequestContext.self)
        let controller = controller(heartbeat: heartbeat, commandIdleLimit: commandIdleLimit)
        controller.addRoutes(to: router)
        return Application(router: router, server: controller.server, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

extension TestClientProtocol {
    /// One call to `/api/v1`, by Basic credentials.
    func call(
        _ method: HTTPRequest.Method, _ path: String, as caller: Caller = .anonymous, body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = headers
        if caller != .anonymous {
            let pair = "\(caller.username):\(PlainAccounts.password(of: caller.username))"
            headers[.authorization] = "Basic " + Data(pair.utf8).base64EncodedString()
        }
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return try await execute(uri: "/api/v1" + path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
    var object: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]) ?? [:] }
    var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }
}
