// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names of the Docker Engine API as it spells them.

/// The container that one stage of a build happens in. Its settings become the image's where it is committed, so
/// nothing secret belongs in here; see `BuildCommand.environment` for that.
package struct BuildContainer: Sendable {
    package var name: String
    package var image: String
    /// The main process, which only waits while commands run beside it.
    package var command: [String]
    /// Of the image that is made; nil: as in the image it is made from.
    package var user: String?
    package var workingDirectory: String?
    package var environment: [String]
    /// "source:target[:ro]", source being a volume's name or a path of the engine's host.
    package var binds: [String] = []
    package var cpuMillis: Int
    package var memoryBytes: Int64
    package var pids: Int
    /// Soft and hard limit alike, by the engine's names ("nofile").
    package var rlimits: [String: Int] = [:]
    /// False: nothing runs in it, so that it needs no network.
    package var runs: Bool
    /// What it is joined to where something runs in it.
    package var network = "bridge"

    package init(
        name: String, image: String, command: [String], user: String?, workingDirectory: String?, environment: [String],
        binds: [String] = [], cpuMillis: Int, memoryBytes: Int64, pids: Int, rlimits: [String: Int] = [:], runs: Bool
    ) {
        self.name = name
        self.image = image
        self.command = command
        self.user = user
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.binds = binds
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.pids = pids
        self.rlimits = rlimits
        self.runs = runs
    }
}

/// A command inside a running build container. Nothing of it stays in the image.
package struct BuildCommand: Sendable {
    package var arguments: [String]
    package var user: String
    package var environment: [String]

    package init(arguments: [String], user: String, environment: [String]) {
        self.arguments = arguments
        self.user = user
        self.environment = environment
    }
}

/// The body of `POST /containers/create` (Docker Engine API v1.41).
struct BuildContainerBody: Encodable {
    struct Limit: Encodable {
        var Name: String
        var Soft: Int
        var Hard: Int
    }
    struct LogConfig: Encodable { var `Type` = "none" }
    struct Host: Encodable {
        var Binds: [String]
        var CpuPeriod = 100_000
        var CpuQuota: Int
        var Memory: Int64
        var MemorySwap: Int64
        var PidsLimit: Int
        var Ulimits: [Limit]
        var CapDrop = ["ALL"]
        /// What a package manager that runs as root inside needs of the default set, and nothing of the host's.
        var CapAdd = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
        var SecurityOpt = ["no-new-privileges"]
        var NetworkMode: String
        var `Init`: Bool
        var LogConfig = BuildContainerBody.LogConfig()
    }
    var Image: String
    var Cmd: [String]
    var Entrypoint: [String] = []
    var User: String?
    var WorkingDir: String?
    var Env: [String]
    var HostConfig: Host

    init(_ container: BuildContainer) {
        Image = container.image
        Cmd = container.command
        User = container.user
        WorkingDir = container.workingDirectory
        Env = container.environment
        HostConfig = Host(
            Binds: container.binds, CpuQuota: container.cpuMillis * 100, Memory: container.memoryBytes, MemorySwap: container.memoryBytes,
            PidsLimit: container.pids,
            Ulimits: container.rlimits.sorted { $0.key < $1.key }.map { Limit(Name: $0.key, Soft: $0.value, Hard: $0.value) },
            NetworkMode: container.runs ? container.network : "none", Init: container.runs)
    }
}
