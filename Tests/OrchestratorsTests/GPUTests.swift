import Engine
import Foundation
import Models
import TestSupport
import Testing

@testable import Orchestrators

/// A harmless device of a kind of the test's own, named in a specification where engines look for it.
private func withDevices(_ names: [String], _ body: (_ kind: String) async throws -> Void) async throws {
    let kind = "moor.test/gpu\(UUID().uuidString.prefix(8).lowercased())"
    let devices = names.map { name in
        #"{"name": "\#(name)", "containerEdits": {"env": ["TEST_DEVICE_\#(name)=here"], "deviceNodes": [{"path": "/dev/test-gpu\#(name)", "hostPath": "/dev/null"}]}}"#
    }
    let file = "/var/run/cdi/\(kind.replacingOccurrences(of: "/", with: "-")).json"
    try FileManager.default.createDirectory(atPath: "/var/run/cdi", withIntermediateDirectories: true)
    try Data(#"{"cdiVersion": "0.5.0", "kind": "\#(kind)", "devices": [\#(devices.joined(separator: ", "))]}"#.utf8)
        .write(to: URL(filePath: file))
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(kind)) } catch { outcome = .failure(error) }
    try? FileManager.default.removeItem(atPath: file)
    try outcome.get()
}

/// Over a real engine, with Container Device Interface specifications of the test's own.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct GPUTests {
    private func process(_ count: Int, optional: Bool = false) -> ProcessSpec {
        ProcessSpec(
            name: "worker", command: "env | grep TEST_DEVICE | sort; echo /dev/test-gpu*; exec sleep 1000",
            resources: Resources(cpuMillis: 500, memoryBytes: 64 << 20, pids: 64, gpus: count, areGPUsOptional: optional))
    }

    @Test func `replicas are given the devices that the fewest have, confined as ever`() async throws {
        try await withDevices(["0", "1", "all"]) { kind in
            #expect(GPUInventory.read(kind: kind).devices == ["\(kind)=0", "\(kind)=1"])
            try await withFixture { fixture in
                try await fixture.withOrchestrator({ $0.gpuKind = kind }) { orchestrator in
                    let workload = try await fixture.workload("gpu", process(1), count: 2)
                    try await orchestrator.apply(workload)
                    let replicas = try await orchestrator.wait(for: workload.appID) { $0.filter { $0.state == .ready }.count == 2 }
                    var given: Set<String> = []
                    for replica in replicas {
                        var lines: [String] = []
                        while lines.count < 2 { lines = await orchestrator.lastLines(of: replica.replicaID, count: 9) }
                        #expect(lines[0].hasPrefix("TEST_DEVICE_") && lines[1] == "/dev/test-gpu\(lines[0].dropFirst(12).prefix(1))")
                        given.insert(lines[1])
                    }
                    #expect(given.count == 2, "each has one of its own")
                    let other = try await fixture.workload("other", process(1))
                    try await orchestrator.apply(other)
                    try await orchestrator.wait(for: other.appID) { $0.first?.state == .pending(reason: "needs 1 GPU, none is free") }
                    // The next release of the same app does not wait for the one it replaces.
                    let (_, next) = try await fixture.makeRelease("gpu", formation: [process(1)], number: 2)
                    var both = workload
                    both.sets.append(fixture.set(process(1), next, count: 2))
                    try await orchestrator.apply(both)
                    try await orchestrator.wait(for: workload.appID) { $0.filter { $0.state == .ready }.count == 4 }
                    both.sets = []
                    try await orchestrator.apply(both)
                    try await orchestrator.wait(for: other.appID) { $0.first?.state == .ready }
                    // Podman makes it by another way than a container without devices.
                    let plain = try await fixture.workload("plain", process(0))
                    try await orchestrator.apply(plain)
                    try await orchestrator.wait(for: plain.appID) { $0.first?.state == .ready }
                    var confinements: Set<String> = []
                    for container in try await fixture.containers() {
                        confinements.insert(try await fixture.command(["inspect", "--format", Self.confinement, container.id]))
                    }
                    #expect(confinements.count == 1 && confinements.first?.contains("67108864 67108864 64 50000 [] 10001:10001") == true)
                }
            }
        }
    }

    private static let confinement =
        ["Memory", "MemorySwap", "PidsLimit", "CpuQuota"].map { "{{.HostConfig.\($0)}}" }.joined(separator: " ")
        + " {{.EffectiveCaps}} {{.Config.User}} "
        + ["Init", "LogConfig.Size", "SecurityOpt", "IpcMode", "PidMode", "Ulimits", "RestartPolicy", "ReadonlyRootfs", "Privileged"]
        .map { "{{.HostConfig.\($0)}}" }.joined(separator: " ") + " {{.Config.StopTimeout}} {{.Config.StopSignal}}"

    @Test func `a replica that needs more than there are is pending, and one that need not starts without`() async throws {
        try await withFixture { fixture in
            try await fixture.withOrchestrator({ $0.gpuKind = "moor.test/none" }) { orchestrator in
                let needs = try await fixture.workload("needs", process(1))
                try await orchestrator.apply(needs)
                try await orchestrator.wait(for: needs.appID) {
                    $0.first?.state == .pending(reason: "needs 1 GPU; this machine has none")
                }
                let optional = try await fixture.workload("optional", process(1, optional: true))
                try await orchestrator.apply(optional)
                try await orchestrator.wait(for: optional.appID) { $0.first?.state == .ready }
            }
        }
    }
}
