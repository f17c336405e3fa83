import Engine
import Foundation
import Models

/// How our own Podman is called: found and decided once, at the start.
struct PodmanCommand: Sendable {
    let podman: String
    /// The OCI runtime's name, and why that one.
    let runtime: String
    let reason: String
    let arguments: [String]
    let configurationFile: String
    private let temporaryFolder: String
    private let folders: [String]

    /// - Parameter find: where an executable is; nil where it is not installed.
    init(
        configuration: EngineProcessConfiguration, hasSystemd: Bool = FileManager.default.fileExists(atPath: "/run/systemd/system"),
        find: (String) -> String? = PodmanCommand.find
    ) throws(MoorError) {
        guard let podman = find("podman") else {
            throw MoorError(.unavailable, "Podman is not installed", hint: "apt-get install podman runc catatonit")
        }
        self.podman = podman
        (runtime, reason) = try Self.runtime(configuration.limits.cgroups, find: find)
        let data = configuration.dataFolder
        let run = configuration.runFolder
        configurationFile = data + "/containers.conf"
        temporaryFolder = configuration.temporaryFolder
        folders = [data, run, temporaryFolder, (configuration.socket as NSString).deletingLastPathComponent]
        arguments =
            [
                "--root", data + "/storage", "--runroot", run + "/run", "--tmpdir", run + "/tmp", "--network-config-dir",
                data + "/networks",
                "--events-backend", "file", "--runtime", runtime,
            ] + (hasSystemd ? [] : ["--cgroup-manager", "cgroupfs"])
            + ["system", "service", "--time=0", "unix://\(configuration.socket)"]
    }

    /// crun is quicker, but its releases in Debian 12 refuse every layout but v2.
    static func runtime(_ layout: HostLimits.CgroupLayout, find: (String) -> String?) throws(MoorError) -> (String, String) {
        let runc = find("runc") != nil
        let crun = find("crun") != nil
        switch layout {
        case .v2 where crun: return ("crun", "cgroup v2, and crun is installed")
        case .v2 where runc: return ("runc", "cgroup v2, and crun is not installed")
        case .v1, .hybrid:
            guard runc else {
                throw MoorError(
                    .unavailable, "this host has the \(layout.rawValue) cgroup layout, which needs runc, and it is not installed",
                    hint: "apt-get install runc")
            }
            return ("runc", "cgroup layout \(layout.rawValue), which crun refuses")
        case .v2:
            throw MoorError(.unavailable, "no OCI runtime is installed", hint: "apt-get install runc")
        }
    }

    /// Makes the folders, readable to us alone, and Podman's own configuration.
    func prepare() throws {
        if FileManager.default.fileExists(atPath: temporaryFolder) { try FileManager.default.removeItem(atPath: temporaryFolder) }
        for folder in folders {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        // With the default, every Podman of the host shares one table of locks in /dev/shm, and one that starts afresh
        // hands out those of another.
        let text = "[engine]\nlock_type = \"file\"\n"
        try Data(text.utf8).write(to: URL(filePath: configurationFile), options: .atomic)
    }

    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
