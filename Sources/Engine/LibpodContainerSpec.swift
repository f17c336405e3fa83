// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names of Podman's own API as it spells them.

/// The same container in the body of Podman's own `POST /libpod/containers/create` ("SpecGenerator"): the Docker API of
/// Podman 4 knows no devices of the Container Device Interface.
struct LibpodContainerSpec: Encodable {
    struct Namespace: Encodable { var nsmode: String }
    struct Log: Encodable {
        var driver = "k8s-file"
        var size: Int64
    }
    struct Limits: Encodable {
        struct CPU: Encodable {
            var quota: Int64
            var period: UInt64 = 100_000
        }
        struct Memory: Encodable { var limit, swap: Int64 }
        struct Pids: Encodable { var limit: Int }
        var cpu: CPU
        var memory: Memory
        var pids: Pids
    }
    struct Rlimit: Encodable {
        var type: String
        var soft, hard: Int64
    }
    struct Device: Encodable { var path: String }

    var name: String
    var image: String
    var entrypoint: [String]?
    var command: [String]?
    var user: String?
    var env: [String: String]
    var labels: [String: String]
    var stop_timeout: Int
    var stop_signal = 15
    var `init` = true
    var terminal, stdin: Bool
    var cap_drop = ["ALL"]
    var no_new_privileges = true
    var ipcns = Namespace(nsmode: "private")
    var netns = Namespace(nsmode: "bridge")
    var networks: [String: [String: String]]
    var restart_policy = "no"
    var sysctl = ContainerSpec.sysctls
    var log_configuration: Log
    var resource_limits: Limits
    var r_limits: [Rlimit]
    var devices: [Device]

    init(_ spec: ContainerSpec, name: String) {
        self.name = name
        image = spec.image
        entrypoint = spec.entrypoint
        command = spec.command
        user = spec.user
        env = Dictionary(
            spec.env.map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { $1 })
        labels = spec.labels
        stop_timeout = spec.stopTimeout
        networks = [spec.network: [:]]
        terminal = spec.hasTerminal
        stdin = spec.takesInput
        log_configuration = Log(driver: spec.host.isUnlogged ? "none" : "k8s-file", size: spec.host.logBytes)
        resource_limits = Limits(
            cpu: .init(quota: spec.host.nanoCPUs / 10_000), memory: .init(limit: spec.host.memoryBytes, swap: spec.host.memoryBytes),
            pids: .init(limit: spec.host.pids))
        r_limits = spec.host.ulimits.map { Rlimit(type: $0.name, soft: $0.soft, hard: $0.hard) }
        devices = spec.host.devices.map(Device.init)
    }
}
