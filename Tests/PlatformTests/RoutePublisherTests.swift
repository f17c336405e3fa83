import GRDB
import Logging
import Models
@testable import Platform
import Store
import TestSupport
import Testing

struct RoutePublisherTests {
    private static let sales = AppName(rawValue: "sales")!

    @Test func `a host routes to the ready replicas of the live release alone, in a stable order`() {
        let route = LiveRoute(host: "sales.localhost", appID: .init(1), app: Self.sales, releaseID: .init(7), number: 3)
        let made = route.route(replicas: [
            Self.replica(.ready, host: "10.0.0.3"), Self.replica(.starting, host: "10.0.0.4"), Self.replica(.ready, host: "10.0.0.2"),
        ])
        #expect(made.endpoints.map(\.host) == ["10.0.0.2", "10.0.0.3"])
        #expect(made.emptyReason.isEmpty)
    }

    @Test(arguments: [
        (nil, nil, "no release yet"),
        (3, nil, "no web replica"),
        (3, ReplicaStatus.State.starting, "starting"),
        (3, .backingOff(exitCode: 1, reason: "exited with code 1", retryAfterSeconds: 8), "exited with code 1; next start in 8 s"),
        (3, .unhealthy(reason: "nothing listens"), "nothing listens"),
    ] as [(Int?, ReplicaStatus.State?, String)])
    func `an app without a ready replica says why`(number: Int?, state: ReplicaStatus.State?, reason: String) {
        let route = LiveRoute(host: "sales.localhost", appID: .init(1), app: Self.sales, releaseID: number.map { _ in .init(7) }, number: number)
        let made = route.route(replicas: state.map { [Self.replica($0, host: "10.0.0.2")] } ?? [])
        #expect(made.endpoints.isEmpty)
        #expect(made.emptyReason.contains(reason), "\(made.emptyReason)")
    }

    private static func replica(_ state: ReplicaStatus.State, host: String) -> ReplicaStatus {
        ReplicaStatus(
            replicaID: .init(1), appID: .init(1), releaseID: .init(7), releaseNumber: 3, process: "web", ordinal: 1, state: state,
            endpoint: Endpoint(host: host, port: 5000), restarts: 0, startedAt: nil)
    }
}
