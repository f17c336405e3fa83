import Engine
import Foundation
import GRDB
import Logging
import Models
import NIOCore
import NIOPosix
import Store
import Subprocess
import TestSupport
import Testing

@testable import Orchestrators

/// Over a real engine and this host's packet filter.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct IsolationTests {
    /// Answers "inside" to whoever connects.
    private final class Greeter: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\ninside"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            context.close(promise: nil)
        }
    }

    static func listen(host: String, port: Int) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // IP_FREEBIND of Linux's in.h: the bridge comes with the first container.
            .serverChannelOption(ChannelOptions.Types.SocketOption(level: .ip, name: .init(rawValue: 15)), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Greeter()) }
            }
        return try await bootstrap.bind(host: host, port: port).get()
    }

    @Test(arguments: EngineKind.allCases) func `an app reaches the inside listener, and neither other ports of the host nor other apps`(
        kind: EngineKind
    ) async throws {
        try await withFixture(kind) { fixture in
            let open = try await Self.listen(host: "0.0.0.0", port: 0)
            let open6 = try await Self.listen(host: "::", port: 0)
            let insidePort = 7911
            let (channels, opened) = AsyncStream.makeStream(of: (any Channel).self)
            try await fixture.withOrchestrator(networkReady: { _, gateway in
                opened.yield(try await Self.listen(host: gateway, port: insidePort))
                return ["MOOR_HOST": gateway]
            }) { orchestrator in
                let victim = try await fixture.workload("victim", web())
                try await orchestrator.apply(victim)
                let replicas = try await orchestrator.wait(for: victim.appID) { $0.first?.state == .ready }
                let target = try #require(replicas.first?.endpoint)
                let port = try #require(open.localAddress?.port)
                let port6 = try #require(open6.localAddress?.port)
                let names = orchestrator.names
                let bridge = names.bridge(victim.appID)
                let addresses = try await run(.name("cat"), arguments: ["/proc/net/if_inet6"], output: .string(limit: 1 << 16))
                let linkLocal = addresses.standardOutput.split(separator: "\n").first { $0.hasSuffix(" \(bridge)") }?.prefix(32) ?? ""
                let groups = stride(from: 0, to: linkLocal.count, by: 4).map { String(linkLocal.dropFirst($0).prefix(4)) }

                let command = """
                    try() { [ -n "$(echo | nc -w 2 $2 $3 2>/dev/null)" ] && echo "$1 open" || echo "$1 closed"; }
                    try inside $MOOR_HOST \(insidePort)
                    try other-port $MOOR_HOST \(port)
                    try app \(target.host) \(target.port)
                    try link-local \(groups.joined(separator: ":"))%eth0 \(port6)
                    """
                let process = ProcessSpec(name: "release", command: command)
                let (app, releaseID) = try await fixture.makeRelease("curious", formation: [process])
                let (lines, input) = AsyncStream.makeStream(of: String.self)
                _ = try await orchestrator.run(
                    CommandOrder(), like: fixture.set(process, releaseID), appID: app.id!, app: app.name, log: DeployLog { input.yield($0) }
                )
                input.finish()
                let said = await lines.reduce(into: []) { $0.append($1) }
                #expect(said == ["inside open", "other-port closed", "app closed", "link-local closed"])

                let tag = "MOOR-\(names.bridgePrefix)"
                #expect(try await Self.savedRules().contains(tag))
                for workload in [(victim.appID, victim.app), (app.id!, app.name)] {
                    try await orchestrator.remove(appID: workload.0, app: workload.1)
                }
                let rulesLeft = try await Self.savedRules()
                #expect(!rulesLeft.contains(names.bridgePrefix), "no rule of ours is left")
                #expect(try await fixture.containers().isEmpty)
                #expect(try await fixture.engine.listNetworks(labels: ["\(Label.platform)=\(fixture.platformID)"]).isEmpty)
                #expect(try await fixture.store.read { db in try ReplicaRecord.fetchCount(db) } == 0)
                #expect(await orchestrator.replicas(of: nil).isEmpty)
            }
            opened.finish()
            for await channel in channels { try await channel.close() }
            try await open.close()
            try await open6.close()
        }
    }

    private static func savedRules() async throws -> String {
        var text = ""
        for command in ["iptables-save", "ip6tables-save"] {
            text += try await run(.name(command), output: .string(limit: 1 << 20), error: .discarded).standardOutput
        }
        return text
    }

    @Test(arguments: EngineKind.allCases) func `caps, rights and limits are those of the specification`(kind: EngineKind) async throws {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator { orchestrator in
                let workload = try await fixture.workload("capped", web(), environment: ["SECRET": "a=b c"])
                try await orchestrator.apply(workload)
                try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready }
                let container = try #require(try await fixture.containers().first)
                #expect(container.labels[Label.appName] == "capped")
                let pid = try #require(try await fixture.engine.inspectContainer(container.id)).state.pid
                let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
                for line in [
                    "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Uid:\t10001\t10001\t10001\t10001",
                ] {
                    #expect(status.contains(line))
                }
                let environment = try String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)
                #expect(environment.split(separator: "\0").contains("SECRET=a=b c"))
                #expect(try cgroupValue(pid, "memory", ["memory.limit_in_bytes", "memory.max"]) == "\(64 << 20)")
                #expect(try cgroupValue(pid, "pids", ["pids.max"]) == "64")
                let quota = try cgroupValue(pid, "cpu", ["cpu.cfs_quota_us", "cpu.max"])
                #expect(quota == "50000" || quota == "50000 100000")
                let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
                let files = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
                #expect(files.contains("\(min(65536, HostLimits.read().openFiles))"))
            }
        }
    }

    /// The first of the files that the process's cgroup has, under either layout.
    private func cgroupValue(_ pid: Int, _ controller: String, _ files: [String]) throws -> String? {
        let lines = try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8).split(separator: "\n")
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            for base in ["/sys/fs/cgroup/\(controller)", "/sys/fs/cgroup"]
            where parts[1].split(separator: ",").contains(Substring(controller)) || parts[1].isEmpty {
                for file in files {
                    if let text = try? String(contentsOfFile: "\(base)\(parts[2])/\(file)", encoding: .utf8) {
                        return text.trimmingCharacters(in: .whitespacesAndNewlines)
                    }
                }
            }
        }
        return nil
    }
}
