import Engine
import Foundation
import TestSupport
import Testing

struct HostCapacityTests {
    static let meminfo = "MemTotal:       16777216 kB\nMemFree:         1000000 kB\n"

    /// Files below a root, what is read of them as memory, and whether the cores are capped at half of one.
    @Test(arguments: [
        ([:], 16 << 30, false),
        (["memory.max": "max\n", "cpu.max": "max 100000\n"], 16 << 30, false),
        (["memory.max": "4294967296\n", "cpu.max": "50000 100000\n"], 4 << 30, true),
        (["memory/memory.limit_in_bytes": "9223372036854771712\n", "cpu/cpu.cfs_quota_us": "-1\n"], 16 << 30, false),
        (
            ["memory/memory.limit_in_bytes": "4294967296\n", "cpu/cpu.cfs_quota_us": "25000\n", "cpu/cpu.cfs_period_us": "50000\n"],
            4 << 30, true
        ),
    ])
    func `what the machine has is the least of what the kernel and the control group say`(
        files: [String: String], memory: Int64, isCapped: Bool
    ) async throws {
        try await withScratchFolder { root in
            for (path, text) in files.map({ ("sys/fs/cgroup/\($0)", $1) }) + [("proc/meminfo", Self.meminfo)] {
                let file = root.appending(path: path)
                try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file)
            }
            let host = HostCapacity.read(root: root.path)
            #expect(host.memoryBytes == memory)
            #expect((host.cpuMillis == 500) == isCapped)
        }
    }

    @Test func `a hundred small apps fit into 24 GiB, and a small machine keeps half for apps`() {
        #expect(HostCapacity(cpuMillis: 2000, memoryBytes: 24 << 30).forApps.memoryBytes >= 100 * 128 << 20)
        #expect(HostCapacity(cpuMillis: 2000, memoryBytes: 1 << 30).forApps.memoryBytes == 512 << 20)
        #expect(HostCapacity(cpuMillis: 2000, memoryBytes: 16 << 30).forApps.memoryBytes == (27 << 30) / 2)
    }
}
