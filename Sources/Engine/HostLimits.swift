import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What this host lets its containers have, found once at the start.
package struct HostLimits: Sendable, Hashable {
    package enum CgroupLayout: String, Sendable {
        case v1, hybrid, v2
    }

    /// The hard limit of open files of this process, which a container's may not exceed without CAP_SYS_RESOURCE.
    package var openFiles: Int64
    /// The hard limit of processes per user.
    package var processes: Int64
    package var cgroups: CgroupLayout
    /// The effective capabilities of this process, a bit each (capabilities(7)).
    package var capabilities: UInt64
    package var isRoot: Bool

    package init(openFiles: Int64, processes: Int64, cgroups: CgroupLayout, capabilities: UInt64, isRoot: Bool) {
        self.openFiles = openFiles
        self.processes = processes
        self.cgroups = cgroups
        self.capabilities = capabilities
        self.isRoot = isRoot
    }

    /// Whether hard limits may be raised (bit 24).
    package var hasSysResource: Bool { capabilities & (1 << 24) != 0 }
    /// Whether firewall rules may be set (bit 12).
    package var hasNetAdmin: Bool { capabilities & (1 << 12) != 0 }

    /// The ulimits for a container or a build: what apps are well served with, never above what the host allows.
    /// Processes are counted per user over all containers, so the pids cap of each container does the limiting; 32768 is
    /// what Podman lowers its own limit to, and so the most that it can give.
    package var containerUlimits: [ContainerSpec.Ulimit] {
        let files = min(65536, openFiles)
        let tasks = min(32768, processes)
        return [
            .init(name: "nofile", soft: files, hard: files),
            .init(name: "nproc", soft: tasks, hard: tasks),
        ]
    }

    package static func read() -> HostLimits {
        HostLimits(
            // RLIMIT_NOFILE and RLIMIT_NPROC of Linux's asm-generic/resource.h; the second is not imported by name.
            openFiles: hardLimit(7), processes: hardLimit(6),
            cgroups: layout(ofMounts: (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""),
            capabilities: capabilities(inStatus: (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""),
            isRoot: geteuid() == 0)
    }

    /// The layout that /proc/self/mountinfo (proc(5)) tells: both kinds of mount are the hybrid one.
    static func layout(ofMounts text: String) -> CgroupLayout {
        var v1 = false
        var v2 = false
        for line in text.split(separator: "\n") {
            // The type of the file system follows the lone hyphen.
            let fields = line.split(separator: " ")
            guard let hyphen = fields.firstIndex(of: "-"), hyphen + 1 < fields.count else { continue }
            if fields[hyphen + 1] == "cgroup" { v1 = true }
            if fields[hyphen + 1] == "cgroup2" { v2 = true }
        }
        return v1 ? (v2 ? .hybrid : .v1) : .v2
    }

    /// The `CapEff` mask of /proc/self/status.
    static func capabilities(inStatus text: String) -> UInt64 {
        let line = text.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        return line.flatMap { UInt64($0.dropFirst(7).drop { $0 == "\t" || $0 == " " }, radix: 16) } ?? 0
    }

    private static func hardLimit(_ resource: Int32) -> Int64 {
        var limit = rlimit()
        // Fills the struct it is given, nothing else.
        guard unsafe getrlimit(.init(resource), &limit) == 0 else { return 1024 }
        return limit.rlim_max > rlim_t(Int64.max) ? Int64.max : Int64(limit.rlim_max)
    }
}
