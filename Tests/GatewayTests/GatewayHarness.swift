import Foundation
import Gateway
import Logging
import Models
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

/// Says who may see what, and counts how often it was asked.
final class TestAuthority: ViewerAuthority {
    private let asked = Mutex<[String]>([])
    private let answer: @Sendable (AppID, String?) async -> ViewerDecision

    init(_ answer: @escaping @Sendable (AppID, String?) async -> ViewerDecision) { self.answer = answer }

    /// Lets the cookie "ada" in, as an owner; forbids "bob"; sends everyone else to the sign-in.
    convenience init(remember: Duration = .seconds(60)) {
        self.init { _, cookie in
            switch cookie {
            case "ada":
                .allow(
                    ViewerHeaders(
                        fields: [.init("X-Moor-Viewer", "token"), .init("X-Forwarded-User", "ada")], cookie: "kcIdToken=signed",
                        seesDetails: true),
                    remember: remember)
            case "eve": .allow(ViewerHeaders(fields: [.init("X-Forwarded-User", "eve")]), remember: remember)
            case "bob": .forbidden(username: "bob")
            default: .signIn
            }
        }
    }

    var count: Int { asked.withLock { $0.count } }

    func decide(appID: AppID, cookie: String?) async -> ViewerDecision {
        asked.withLock { $0.append("\(appID) \(cookie ?? "-")") }
        return await answer(appID, cookie)
    }
}

/// A running gateway on a port of its own.
struct GatewayHarness {
    var service: GatewayService
    var services: ServiceGroup
    var address: SocketAddress
    var controlSocket: String

    func connect<T>(_ body: (RawConnection) async throws -> T) async throws -> T { try await withConnection(to: address, body) }

    /// Sends a request on a connection of its own.
    func ask(_ request: String, hasBody: Bool = true) async throws -> RawMessage {
        try await connect { connection in
            try await connection.send(request)
            return try await connection.readMessage(hasBody: hasBody)
        }
    }

    func publish(_ endpoints: [SocketAddress], epoch: UInt64 = 0, reason: String = "") async {
        await service.publish(routes(endpoints, epoch: epoch, reason: reason))
    }
}

func routes(_ addresses: [SocketAddress], epoch: UInt64 = 0, reason: String = "") -> RouteSnapshot {
    let route = RouteSnapshot.Route(
        appID: AppID(7), app: AppName(rawValue: "sales")!, endpoints: addresses.map(endpoint(_:)), emptyReason: reason)
    return RouteSnapshot(routes: ["sales.localhost": route], viewerEpoch: epoch)
}

func endpoint(_ address: SocketAddress) -> Endpoint { Endpoint(host: address.ipAddress ?? "", port: address.port ?? 0) }

/// Starts a gateway, and stops it gracefully when `body` ends.
func withGateway<T>(
    _ authority: any ViewerAuthority = TestAuthority(), loops: Int = 1, configure: (inout GatewayConfiguration) -> Void = { _ in },
    _ body: (GatewayHarness) async throws -> T
) async throws -> T {
    let socket = NSTemporaryDirectory() + "moor-gw-\(UUID().uuidString.prefix(8)).sock"
    defer { try? FileManager.default.removeItem(atPath: socket) }
    var configuration = GatewayConfiguration(
        listenHost: "127.0.0.1", listenPort: 0, panelHost: "localhost", controlSocket: socket, eventLoopCount: loops,
        drainDeadline: .seconds(5), jwks: { #"{"keys":[]}"# })
    configure(&configuration)
    let service = GatewayService(
        configuration: configuration, authority: authority, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let services = ServiceGroup(services: [service], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await services.run() }
        do {
            guard let bound = try? await service.boundAddress() else {
                try await tasks.waitForAll()
                throw CancellationError()
            }
            let harness = GatewayHarness(
                service: service, services: services, address: try SocketAddress(ipAddress: bound.host, port: bound.port),
                controlSocket: socket)
            let result = try await body(harness)
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        } catch {
            tasks.cancelAll()
            throw error
        }
    }
}

/// An app that tells in its body what it was sent: the head, then the body.
@Sendable
func mirror(_ connection: RawConnection, _ index: Int) async throws {
    while true {
        let request = try await connection.readMessage()
        let body = request.head + request.body
        try await connection.send(
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nX-Connection: \(index)\r\n\r\n"
                + (request.startLine.hasPrefix("HEAD ") ? "" : body))
    }
}

/// A gateway in front of the mirror app on host sales.localhost.
func withMirror<T>(
    _ authority: any ViewerAuthority = TestAuthority(), loops: Int = 1, configure: (inout GatewayConfiguration) -> Void = { _ in },
    _ body: (GatewayHarness) async throws -> T
) async throws -> T {
    try await withListener(serve: mirror) { address in
        try await withGateway(authority, loops: loops, configure: configure) { gateway in
            await gateway.publish([address])
            return try await body(gateway)
        }
    }
}

/// What every request to the app starts with, as a signed-in owner.
let toSales = "Host: sales.localhost\r\nCookie: moor_app=ada\r\n"

/// The next element.
func first<T: Sendable>(_ stream: AsyncStream<T>) async -> T? {
    for await element in stream { return element }
    return nil
}

/// A number that several tasks add to.
final class Tally: Sendable {
    private let sum = Mutex(0)
    var value: Int { sum.withLock { $0 } }
    func add(_ count: Int) { sum.withLock { $0 += count } }
}
