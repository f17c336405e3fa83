import Engine
import Foundation
import Models
import NIOCore
import Subprocess
import TestSupport
import Testing

@testable import Orchestrators

struct BuildsNetworkRulesTests {
    @Test func `builds reach names and what the admin configured, and nothing else of the host or of apps`() {
        var rules = FirewallRules(prefix: "mrabcde", insidePort: 7911)
        rules.builds = [0: .init(bridge: "mrabcde-0", gateway: "10.0.9.1")]
        rules.buildEndpoints = [.init(address: "192.0.2.7", port: 3141)]
        let lines = rules.restore4.split(separator: "\n")
        #expect(!rules.isEmpty)
        for chain in ["PRE", "IN"] {
            #expect(lines.contains("-A MOOR-mrabcde-\(chain) -i mrabcde-0 -d 10.0.9.1/32 -p udp --dport 53 -j RETURN"))
            #expect(lines.contains("-A MOOR-mrabcde-\(chain) -i mrabcde-+ -d 192.0.2.7/32 -p tcp --dport 3141 -j RETURN"))
        }
        #expect(lines.last { $0.hasPrefix("-A MOOR-mrabcde-PRE") } == "-A MOOR-mrabcde-PRE -m addrtype --dst-type LOCAL -j DROP")
        #expect(!lines.contains { $0.contains("-i mrabcde-0 -o mrabcde-0") }, "builds have no way to each other")
        #expect(lines.contains("-A MOOR-mrabcde-FWD -o mrabcde+ -j DROP"))
    }

    @Test func `name servers are read from resolv.conf`() {
        let text = "# x\nnameserver 192.0.2.1\nnameserver\t127.0.0.53\nsearch example.com\nnameserver ::1\nnameserver 198.51.100.1 \n"
        #expect(LocalOrchestrator.nameServers(text) == ["192.0.2.1", "198.51.100.1"])
    }
}

/// Over a real engine and this host's packet filter.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct BuildsNetworkTests {
    /// A container as builds have them, its main process a server.
    private static func start(_ fixture: Fixture, _ name: String, on network: String) async throws -> String {
        var container = BuildContainer(
            name: name, image: fixture.image, command: ["httpd", "-f", "-p", "5000"], user: "0", workingDirectory: "/", environment: [],
            cpuMillis: 1000, memoryBytes: 64 << 20, pids: 64, rlimits: ["nofile": 1024, "nproc": 1024], runs: true)
        container.network = network
        let id = try await fixture.engine.createBuildContainer(container)
        try await fixture.engine.startBuildContainer(id)
        return id
    }

    private static func ip(_ arguments: String...) async throws {
        let result = try await run(.name("ip"), arguments: .init(arguments), output: .discarded, error: .string(limit: 4096))
        try #require(result.terminationStatus.isSuccess, "ip \(arguments): \(result.standardError)")
    }

    /// A machine elsewhere: a network namespace with a server, to which this host has a route.
    private static func withOutside(_ body: (String) async throws -> Void) async throws {
        let tag = UUID().uuidString.prefix(5).lowercased()
        let (space, near, far) = ("moor-\(tag)", "mo\(tag)a", "mo\(tag)b")
        try await ip("netns", "add", space)
        let outcome: Result<Void, any Error>
        do {
            try await ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", space)
            try await ip("addr", "add", "203.0.113.1/30", "dev", near)
            try await ip("link", "set", near, "up")
            try await ip("-n", space, "addr", "add", "203.0.113.2/30", "dev", far)
            try await ip("-n", space, "link", "set", far, "up")
            try await ip("-n", space, "route", "add", "default", "via", "203.0.113.1")
            var options = PlatformOptions()
            options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
            let server = try await run(
                .name("ip"), arguments: ["netns", "exec", space, "busybox", "httpd", "-f", "-p", "3141"],
                platformOptions: options, input: .none, output: .discarded, error: .discarded
            ) { server in
                let result: Result<Void, any Error>
                do { result = .success(try await body("203.0.113.2")) } catch { result = .failure(error) }
                await server.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))])
                return result
            }
            outcome = server.closureResult
        } catch {
            outcome = .failure(error)
        }
        await Task { try? await ip("netns", "del", space) }.value
        try outcome.get()
    }

    @Test func `a build reaches the outside, and neither the host nor apps nor another build`() async throws {
        try await withFixture { fixture in
            let open = try await IsolationTests.listen(host: "0.0.0.0", port: 0)
            let allowed = try await IsolationTests.listen(host: "0.0.0.0", port: 0)
            let (openPort, allowedPort) = (try #require(open.localAddress?.port), try #require(allowed.localAddress?.port))
            try await Self.withOutside { outside in
                try await fixture.withOrchestrator(
                    networkReady: { _, _ in [:] }, { $0.buildEndpoints = ["203.0.113.1:\(allowedPort)", "not an endpoint"] }
                ) { orchestrator in
                    let victim = try await fixture.workload("victim", web())
                    try await orchestrator.apply(victim)
                    let replicas = try await orchestrator.wait(for: victim.appID) { $0.first?.state == .ready }
                    let app = try #require(replicas.first?.endpoint)
                    let networks = [try await orchestrator.buildsNetwork(slot: 0), try await orchestrator.buildsNetwork(slot: 1)]
                    #expect(networks[0] != networks[1])
                    #expect(try await orchestrator.buildsNetwork(slot: 0) == networks[0])
                    let mine = try await Self.start(fixture, "one", on: networks[0])
                    let other = try await Self.start(fixture, "two", on: networks[1])
                    let all = try await fixture.engine.listNetworks()
                    let gateway = try #require(all.first { $0.name == networks[0] }?.gateway)
                    let address = try #require(try await fixture.engine.inspectContainer(other)?.address(in: networks[1]))
                    let command = """
                        try() { [ -n "$(echo "GET /" | nc -w 2 $2 $3 2>/dev/null)" ] && echo "$1 open" || echo "$1 closed"; }
                        try itself 127.0.0.1 5000
                        try outside \(outside) 3141
                        try configured 203.0.113.1 \(allowedPort)
                        try gateway \(gateway) \(openPort)
                        try host 203.0.113.1 \(openPort)
                        try app \(app.host) \(app.port)
                        try build \(address) 5000
                        """
                    var said = ""
                    let code = try await fixture.engine.execute(
                        BuildCommand(arguments: ["sh", "-c", command], user: "0", environment: []), in: mine, deadline: .seconds(60)
                    ) { said += String(decoding: $0, as: UTF8.self) }
                    #expect(code == 0)
                    #expect(
                        said.split(separator: "\n") == [
                            "itself open", "outside open", "configured open", "gateway closed", "host closed", "app closed", "build closed",
                        ])
                    for container in [mine, other] { try await fixture.engine.removeBuildContainer(container) }
                    // As `podman network prune` would.
                    try await fixture.engine.removeNetwork(networks[0])
                    #expect(try await orchestrator.buildsNetwork(slot: 0) == networks[0])
                    #expect(try await fixture.engine.listNetworks().contains { $0.name == networks[0] })
                    try await orchestrator.removeBuildsNetworks()
                }
            }
            try await open.close()
            try await allowed.close()
        }
    }
}
