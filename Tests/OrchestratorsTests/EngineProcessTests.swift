import AsyncHTTPClient
import Engine
import Foundation
import Logging
import Models
import Store
import TestSupport
import Testing

@testable import Orchestrators

@Suite(.serialized, .timeLimit(.minutes(2)))
struct EngineProcessTests {
    private func pids(_ socket: String) throws -> [pid_t] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { entry in
            guard let pid = pid_t(entry), let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return nil }
            return String(decoding: data, as: UTF8.self).contains("unix://\(socket)") ? pid : nil
        }
    }

    @Test func `the engine comes back when it dies, and a later start replaces one that was left`() async throws {
        try await withScratchFolder { folder in
            let socket = folder.appending(path: "engine.sock").path
            let configuration = EngineProcessConfiguration(
                socket: socket, dataFolder: folder.appending(path: "data").path, runFolder: folder.appending(path: "r").path)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            try await HTTPClient.withHTTPClient(configuration: EngineClient.httpConfiguration) { http in
                let engine = EngineClient(socketPath: socket, http: http)
                let first = EngineProcess(configuration: configuration, logger: logger)
                try await first.start()
                #expect(await engine.ping())
                let pid = try #require(try pids(socket).first)
                kill(pid, SIGKILL)
                while try pids(socket).contains(pid) { await Task.yield() }
                var tries = 0
                while await !engine.ping(), tries < 1200 {
                    tries += 1
                    try await Task.sleep(for: .milliseconds(50))
                }
                let second = try #require(try pids(socket).first)
                #expect(second != pid)

                let other = EngineProcess(configuration: configuration, logger: logger)
                await EngineProcess.endOthers(on: socket, logger: logger)
                let afterwards = try pids(socket)
                #expect(!afterwards.contains(second))
                await first.stop()
                try await other.start()
                let running = try pids(socket)
                #expect(running.count == 1)
                await other.stop()
                let left = try pids(socket)
                #expect(left.isEmpty)
                #expect(await !engine.ping())
            }
        }
    }

    private func configuration(_ layout: HostLimits.CgroupLayout) -> EngineProcessConfiguration {
        EngineProcessConfiguration(
            socket: "/run/x/engine.sock", dataFolder: "/d", runFolder: "/r",
            limits: HostLimits(openFiles: 1024, processes: 1024, cgroups: layout, capabilities: 0, isRoot: true))
    }

    @Test(arguments: [
        (HostLimits.CgroupLayout.v1, ["runc", "crun"], "runc"), (.hybrid, ["runc", "crun"], "runc"), (.v2, ["runc", "crun"], "crun"),
        (.v2, ["runc"], "runc"), (.v2, ["crun"], "crun"),
    ])
    func `the runtime fits the cgroup layout`(layout: HostLimits.CgroupLayout, installed: [String], runtime: String) throws {
        let command = try PodmanCommand(configuration: configuration(layout), hasSystemd: false) { name in
            name == "podman" || installed.contains(name) ? "/usr/bin/\(name)" : nil
        }
        #expect(command.runtime == runtime)
        #expect(command.arguments.contains("cgroupfs"))
        #expect(command.arguments.suffix(4) == ["system", "service", "--time=0", "unix:///run/x/engine.sock"])
    }

    @Test(arguments: [
        (HostLimits.CgroupLayout.v2, [String](), "Podman is not installed"), (.v2, ["podman"], "no OCI runtime"),
        (.hybrid, ["podman", "crun"], "needs runc"),
    ])
    func `what is missing is named with how to get it`(layout: HostLimits.CgroupLayout, installed: [String], message: String) {
        let error = #expect(throws: MoorError.self) {
            try PodmanCommand(configuration: configuration(layout)) { installed.contains($0) ? "/usr/bin/\($0)" : nil }
        }
        #expect(error?.message.contains(message) == true)
        #expect(error?.hint?.contains("apt-get install") == true)
    }
}

struct EngineDownTests {
    @Test func `without an engine operations are refused and say so`() async throws {
        try await withDataStore { store, admin in
            let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: EngineClient.httpConfiguration)
            let orchestrator = LocalOrchestrator(
                configuration: LocalOrchestratorConfiguration(platformID: "x"), store: store,
                engine: EngineClient(socketPath: "/tmp/moor-no-such-engine.sock", http: http), networkReady: { _, _ in [:] },
                restoreImage: { _ throws(MoorError) in }, probe: http,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let app = try await store.makeApp("sales", owner: admin)
            let process = ProcessSpec(name: "web", command: "x")
            let set = ReplicaSet(releaseID: 1, releaseNumber: 1, process: process, count: 1, image: "x", environment: [:])
            let workload = Workload(appID: app.id!, app: app.name, sets: [set])
            let applying = await refused { try await orchestrator.apply(workload) }
            #expect(applying?.code == .unavailable)
            let adopting = await refused { try await orchestrator.adopt() }
            #expect(adopting?.code == .unavailable)
            let running = await refused {
                try await orchestrator.run(CommandOrder(), like: set, appID: app.id!, app: app.name, log: .discard)
            }
            #expect(running?.code == .unavailable)
            try await http.shutdown()
        }
    }
}
