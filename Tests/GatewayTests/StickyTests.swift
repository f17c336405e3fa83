import Models
import NIOCore
import TestSupport
import Testing

@testable import Gateway

/// Which release and replica a viewer gets.
@Suite(.timeLimit(.minutes(4))) struct StickyTests {
    /// Three apps that say which one they are; the third answers 500.
    private func withApps<T>(loops: Int = 2, _ body: (GatewayHarness, [SocketAddress]) async throws -> T) async throws -> T {
        func app(_ name: String, status: String = "200 OK") -> @Sendable (RawConnection, Int) async throws -> Void {
            { connection, _ in
                while let _ = try? await connection.readMessage() {
                    try await connection.send("HTTP/1.1 \(status)\r\nContent-Length: 1\r\n\r\n\(name)")
                }
            }
        }
        let everybody = TestAuthority { _, _ in .allow(ViewerHeaders(), remember: .seconds(60)) }
        return try await withListener(serve: app("a")) { a in
            try await withListener(serve: app("b")) { b in
                try await withListener(serve: app("c", status: "500 No")) { c in
                    try await withGateway(everybody, loops: loops) { try await body($0, [a, b, c]) }
                }
            }
        }
    }

    private func ask(_ gateway: GatewayHarness, _ viewer: Int) async throws -> String {
        try await gateway.ask("GET / HTTP/1.1\r\nHost: sales.localhost\r\nCookie: x=y; moor_app=viewer\(viewer)\r\n\r\n").body
    }

    private func publish(_ endpoints: [SocketAddress], sticky: Bool = true, canary: RouteSnapshot.Canary? = nil, to gateway: GatewayHarness)
        async
    {
        var snapshot = routes(endpoints)
        snapshot.routes["sales.localhost"]?.isSticky = sticky
        snapshot.routes["sales.localhost"]?.canary = canary
        await gateway.service.publish(snapshot)
    }

    @Test func `a viewer stays with one replica on every loop, and a replica that goes moves its own viewers only`() async throws {
        try await withApps { gateway, apps in
            await publish(Array(apps[..<2]), to: gateway)
            var before: [String] = []
            for viewer in 0..<24 { before.append(try await ask(gateway, viewer)) }
            for viewer in 0..<24 { #expect(try await ask(gateway, viewer) == before[viewer]) }
            #expect(Set(before) == ["a", "b"])
            await publish([apps[0]], to: gateway)
            for viewer in 0..<24 { #expect(try await ask(gateway, viewer) == "a") }
            await publish(Array(apps[..<2]), to: gateway)
            for viewer in 0..<24 { #expect(try await ask(gateway, viewer) == before[viewer]) }
        }
    }

    @Test func `the replica of a viewer that takes no connection is stood in for by another`() async throws {
        try await withApps { gateway, apps in
            let nobody = try await withListener(serve: mirror) { $0 }
            await publish([apps[0], nobody], to: gateway)
            for viewer in 0..<12 { #expect(try await ask(gateway, viewer) == "a") }
        }
    }

    @Test func `a canary gets its share of viewers, each of whom stays, and both releases are counted`() async throws {
        try await withApps { gateway, apps in
            func canary(_ percent: Int) -> RouteSnapshot.Canary {
                .init(releaseID: ReleaseID(2), endpoints: [endpoint(apps[2])], percent: percent, liveID: ReleaseID(1))
            }
            await publish([apps[0]], sticky: false, canary: canary(30), to: gateway)
            var first: [String] = []
            for viewer in 0..<60 { first.append(try await ask(gateway, viewer)) }
            for viewer in 0..<60 { #expect(try await ask(gateway, viewer) == first[viewer]) }
            let share = first.count { $0 == "c" }
            #expect((8...30).contains(share), "\(share) of 60")
            let counted = await gateway.service.comparison(of: AppID(7))
            #expect(counted.map(\.releaseID) == [ReleaseID(1), ReleaseID(2)])
            #expect(counted.map(\.requests) == [120 - 2 * share, 2 * share])
            #expect(counted.map(\.errors) == [0, 2 * share])
            #expect(counted.allSatisfy { $0.p50Milliseconds ?? -1 > 0 && $0.p95Milliseconds! >= $0.p50Milliseconds! })
            // A larger share takes viewers over and moves none back.
            await publish([apps[0]], sticky: false, canary: canary(80), to: gateway)
            for viewer in 0..<60 where first[viewer] == "c" { #expect(try await ask(gateway, viewer) == "c") }
            // Numbers are those of this canary alone.
            await publish([apps[0]], sticky: false, to: gateway)
            await publish(
                [apps[0]], sticky: false,
                canary: .init(
                    releaseID: ReleaseID(3), endpoints: [endpoint(apps[1])], percent: 30, liveID: ReleaseID(1)), to: gateway)
            #expect(await gateway.service.comparison(of: AppID(7)).map(\.requests) == [0, 0])
        }
    }

    @Test func `where the canary takes no connection its viewers see the live release, and it counts as an error`() async throws {
        try await withApps(loops: 1) { gateway, apps in
            let nobody = try await withListener(serve: mirror) { $0 }
            await publish(
                [apps[0]], sticky: false,
                canary: .init(
                    releaseID: ReleaseID(2), endpoints: [endpoint(nobody)], percent: 99, liveID: ReleaseID(1)), to: gateway)
            for viewer in 0..<6 { #expect(try await ask(gateway, viewer) == "a") }
            #expect(await gateway.service.comparison(of: AppID(7)).last?.errors ?? 0 > 0)
        }
    }

    @Test func `the anonymous are told apart by their browser`() async throws {
        try await withApps { gateway, apps in
            await publish(Array(apps[..<2]), to: gateway)
            var seen: Set<String> = []
            for browser in 0..<16 {
                let request = "GET / HTTP/1.1\r\nHost: sales.localhost\r\nUser-Agent: browser \(browser)\r\n\r\n"
                let answer = try await gateway.ask(request).body
                #expect(try await gateway.ask(request).body == answer)
                seen.insert(answer)
            }
            #expect(seen == ["a", "b"])
        }
    }

    @Test func `quantiles are right to an eighth`() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for milliseconds in 1...1000 { histogram.add(.milliseconds(Int64(milliseconds))) }
        for share in [0.05, 0.5, 0.95] {
            let value = histogram.quantile(share) ?? 0
            #expect(abs(value - share * 1000) <= share * 1000 / 7, "\(share): \(value)")
        }
        histogram.add(.hours(40))
        #expect(histogram.quantile(1) ?? 0 > 1000)
    }
}
