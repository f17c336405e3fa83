import Foundation

/// What this host has to give away, as the kernel and the control group that we are in say.
package struct HostCapacity: Sendable, Hashable {
    package var cpuMillis: Int
    package var memoryBytes: Int64

    package init(cpuMillis: Int, memoryBytes: Int64) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
    }

    /// - Parameter root: of /proc and /sys.
    package static func read(root: String = "") -> HostCapacity {
        func text(_ path: String) -> String? { try? String(contentsOfFile: root + path, encoding: .utf8) }
        func number(_ path: String) -> Int64? { text(path).flatMap { Int64($0.trimmingCharacters(in: .whitespacesAndNewlines)) } }
        let total = text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }?
            .split(separator: " ").compactMap { Int64($0) }.first.map { $0 << 10 }
        // v2, then v1; neither says a number where there is no limit but v1, whose number is then beyond any memory.
        let limit = number("/sys/fs/cgroup/memory.max") ?? number("/sys/fs/cgroup/memory/memory.limit_in_bytes")
        let memory = [total, limit].compactMap(\.self).filter { $0 > 0 }.min() ?? 1 << 30
        return HostCapacity(cpuMillis: min(ProcessInfo.processInfo.activeProcessorCount * 1000, quota(text) ?? .max), memoryBytes: memory)
    }

    private static func quota(_ text: (String) -> String?) -> Int? {
        if let words = text("/sys/fs/cgroup/cpu.max")?.split(whereSeparator: \.isWhitespace), words.count == 2,
            let quota = Int(words[0]), let period = Int(words[1]), period > 0
        {
            return quota * 1000 / period
        }
        let v1 = ["quota", "period"].map {
            text("/sys/fs/cgroup/cpu/cpu.cfs_\($0)_us").flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        if let quota = v1[0], let period = v1[1], quota > 0, period > 0 { return quota * 1000 / period }
        return nil
    }

    /// What is for apps where nobody says: all cores; of the memory all but an eighth and 512 MiB, which the platform, the
    /// engine and what builds need beside them.
    package var forApps: HostCapacity {
        HostCapacity(cpuMillis: cpuMillis, memoryBytes: max(memoryBytes - memoryBytes / 8 - 512 << 20, memoryBytes / 2))
    }
}
