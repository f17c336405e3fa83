import Foundation
import Models
import Store
import TestSupport
import Testing

@testable import Releases

@Suite struct ServingTests {
    static let app: AppRecord = {
        var app = AppRecord(name: AppName(rawValue: "sales")!, ownerID: UserID(1), access: .public, createdAt: 0)
        app.id = AppID(1)
        return app
    }()

    static func release(_ formation: Formation = Harbour.web) -> ReleaseRecord {
        ReleaseRecord(
            id: ReleaseID(3), appID: AppID(1), number: 3, imageID: ImageID(1), sealedConfig: Data(), formation: formation, cause: .push,
            description: "", state: .live, createdAt: 0)
    }

    static func replica(_ ordinal: Int, _ state: ReplicaStatus.State, release: Int64 = 3, process: String = "web") -> ReplicaStatus {
        ReplicaStatus(
            replicaID: ReplicaID(release * 100 + Int64(ordinal)), appID: AppID(1), releaseID: ReleaseID(release),
            releaseNumber: Int(release), process: process, ordinal: ordinal, state: state,
            endpoint: Endpoint(host: "10.0.0.1", port: Int(release) * 100 + ordinal), restarts: 0, startedAt: nil)
    }

    func route(_ replicas: [ReplicaStatus], scale: Int? = nil, live: ReleaseRecord? = release()) -> RouteSnapshot.Route? {
        let scales = scale.map { [ScaleRecord(appID: AppID(1), process: "web", replicas: $0)] } ?? []
        return .serving(app: Self.app, live: live, scales: scales, replicas: replicas)
    }

    @Test func `only ready web replicas of the live release get requests, in order`() {
        let replicas = [
            Self.replica(2, .ready), Self.replica(1, .ready), Self.replica(1, .ready, release: 2),
            Self.replica(1, .ready, process: "worker"),
        ]
        #expect(route(replicas)?.endpoints.map(\.port) == [301, 302])
        #expect(route([Self.replica(1, .ready), Self.replica(2, .starting)])?.endpoints.map(\.port) == [301])
    }

    @Test func `what a scale-down is about to stop gets none any more`() {
        #expect(route([Self.replica(1, .ready), Self.replica(2, .ready)], scale: 1)?.endpoints.map(\.port) == [301])
        #expect(route((1...3).map { Self.replica($0, .ready) }, scale: 3)?.endpoints.count == 3)
    }

    @Test func `without any the owner is told why`() {
        #expect(route([], live: nil)?.emptyReason == "no release yet")
        #expect(route([])?.emptyReason == "no replica of v3 runs yet")
        #expect(route([], scale: 0)?.emptyReason == "web is scaled to 0")
        #expect(route([Self.replica(1, .starting)])?.emptyReason == "the replicas of v3 are starting")
        #expect(
            route([Self.replica(1, .starting), Self.replica(2, .backingOff(exitCode: 1, reason: "it exited", retryAfterSeconds: 1))])?
                .emptyReason == "no replica of v3 is ready; web.2 is backing-off: it exited")
        #expect(route([], live: Self.release([ProcessSpec(name: "worker", command: "x")]))?.emptyReason == "v3 has no web process")
    }

    @Test func `an app that is being deleted has no route`() {
        var app = Self.app
        app.deletingAt = 1
        #expect(RouteSnapshot.Route.serving(app: app, live: Self.release(), scales: [], replicas: []) == nil)
    }
}
