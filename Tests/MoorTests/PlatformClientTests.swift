import API
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Models
import Store
import Synchronization
import TestSupport
import Testing

@testable import moor

@Suite(.timeLimit(.minutes(4)))
struct PlatformClientTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// The client against the real API.
    private func withPlatform(_ body: @escaping @Sendable (PlatformClient, PlainApps) async throws -> Void) async throws {
        try await withDataStore { store, admin in
            let (accounts, apps) = (PlainAccounts(store: store), PlainApps(store: store))
            let token = try await accounts.createToken(for: admin.userID, name: "ci", expiresInDays: 3)
            _ = try await store.makeApp("sales", owner: admin)
            let router = Router()
            APIController(
                store: store, authenticator: accounts, accounts: accounts, operations: apps, builds: apps, commands: PlainCommands(),
                version: "1",
                logger: Self.logger,
                heartbeat: .milliseconds(20)
            ).addRoutes(to: router)
            try await Application(router: router, logger: Self.logger).test(.live) { client in
                let origin = try Origin("http://localhost:\(client.port!)")
                try await PlatformClient.with(origin, token: token) { try await body($0, apps) }
            }
        }
    }

    @Test func `the tables' values are what the API answers`() async throws {
        try await withPlatform { platform, apps in
            #expect(try await platform.get(Answers.Me.self, ["me"]).username == "ada")
            #expect(try await platform.get(Answers.Apps.self, ["apps"]).apps.map(\.name) == ["sales"])
            #expect(try await platform.get(Answers.Replicas.self, ["apps", "sales", "replicas"]).replicas.isEmpty)
            #expect(try await platform.get(Answers.Releases.self, ["apps", "sales", "releases"], query: ["limit": "5"]).releases.isEmpty)
            #expect(try await platform.get(Answers.Access.self, ["apps", "sales", "access"]).owner == "ada")
            #expect(try await platform.get(Answers.Config.self, ["apps", "sales", "config"]).config.isEmpty)
            #expect(try await platform.get(Answers.Users.self, ["users"]).users.map(\.role) == ["admin"])
            let token = try #require(try await platform.get(Answers.Tokens.self, ["tokens"]).tokens.first)
            #expect(token.expiresAt.map { $0 > Date() } == true)
            let new = try await platform.send(.post, ["tokens"], body: ["name": "a b/c"])
            #expect(try platform.decode(Answers.NewToken.self, new).name == "a b/c")
            _ = try await platform.send(.delete, ["tokens", "a b/c"])
        }
    }

    @Test func `what the platform refuses is told with code, message and hint`() async throws {
        try await withPlatform { platform, _ in
            let error = await refused { try await platform.send(.get, ["apps", "missing"]) }
            #expect(error?.code == .notFound)
            #expect(error?.message == "there is no app “missing”")
            #expect(error?.hint != nil)
        }
    }

    @Test func `a change is followed to its release, or to its failure`() async throws {
        try await withPlatform { platform, apps in
            let body = Config.Change(set: ["A": "1"])
            let release = try await platform.follow(.patch, ["apps", "sales", "config"], body: body, json: false)
            #expect(release == 7)
            apps.setRollout { _ throws(MoorError) in throw MoorError(.appFailed, "it fails", detail: ["one", "two"]) }
            let error = await refused {
                try await platform.follow(.patch, ["apps", "sales", "config"], body: body, json: false)
            }
            #expect(error?.code == .appFailed)
            #expect(error?.detail == ["one", "two"])
        }
    }

    @Test func `a stream's lines come without the blank ones`() async throws {
        try await withPlatform { platform, apps in
            apps.setLogs { _ in
                AsyncThrowingStream { stream in
                    for number in 0..<3 { stream.yield(LogLine(replica: "web.1", text: String(number))) }
                    stream.finish()
                }
            }
            let seen = Mutex<[String]>([])
            try await platform.lines(.get, ["apps", "sales", "logs"]) { line in
                let text = try platform.decode(Answers.LogLine.self, line).text
                seen.withLock { $0.append(text ?? "") }
            }
            #expect(seen.withLock { $0 } == ["0", "1", "2"])
        }
    }

    /// The client against a server that answers everything alike.
    private func withServer(
        _ response: @escaping @Sendable (Request) -> Response, _ body: @escaping @Sendable (PlatformClient) async throws -> Void
    ) async throws {
        let router = Router()
        router.get("**") { request, _ in response(request) }
        try await Application(router: router, logger: Self.logger).test(.live) { client in
            let origin = try Origin("http://localhost:\(client.port!)")
            try await PlatformClient.with(origin, token: "secret") { try await body($0) }
        }
    }

    @Test func `a redirect to another origin is not followed, and named`() async throws {
        let (requests, continuation) = AsyncStream<String>.makeStream()
        try await withServer { request in
            continuation.yield(request.uri.path)
            return Response(status: .temporaryRedirect, headers: [.location: "https://evil.example/api/v1/me"])
        } _: { platform in
            let error = await refused { try await platform.send(.get, ["me"]) }
            #expect(error?.message.contains("https://evil.example") == true)
        }
        continuation.finish()
        #expect(await requests.reduce(into: []) { $0.append($1) } == ["/api/v1/me"])
    }

    @Test func `an answer that is no platform's is told as such`() async throws {
        try await withServer { _ in
            Response(status: .badGateway, body: .init(byteBuffer: ByteBuffer(string: "<html>")))
        } _: { platform in
            let error = await refused { try await platform.send(.get, ["me"]) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("502") == true)
        }
    }

    @Test func `a platform that is not there is told as such`() async throws {
        // Port 1 is tcpmux: nothing listens there.
        try await PlatformClient.with(Origin("http://127.0.0.1:1"), token: nil) { platform in
            let error = await refused { try await platform.send(.get, ["me"]) }
            #expect(error?.code == .unavailable)
            #expect(error?.message == "http://127.0.0.1:1 cannot be reached")
        }
    }
}
