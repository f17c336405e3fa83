// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names of the Docker Engine API as it spells them.

/// The body of `POST /containers/create` (Docker Engine API v1.41), as far as it is used. Holds secrets in `env`: never logged.
package struct ContainerSpec: Encodable, Sendable {
    package var image: String
    /// nil runs what the image says.
    package var entrypoint: [String]?
    package var command: [String]?
    /// "uid:gid"; nil keeps the image's.
    package var user: String?
    /// "NAME=value".
    package var env: [String]
    package var labels: [String: String]
    /// Seconds between SIGTERM and SIGKILL.
    package var stopTimeout: Int
    package var host: Host
    /// Joined with one alias each.
    package var network: String
    package var hasTerminal = false
    /// Whether its standard input is open, until who attached to it closes it.
    package var takesInput = false

    /// Limits and rights, `HostConfig` of the API.
    package struct Host: Encodable, Sendable {
        package var nanoCPUs: Int64
        package var memoryBytes: Int64
        package var pids: Int
        package var ulimits: [Ulimit]
        /// Bytes of log the engine keeps, rounded by the engine.
        package var logBytes: Int64
        /// Nothing is kept of what it writes.
        package var isUnlogged = false
        package var networkMode: String
        /// Qualified names of the Container Device Interface, such as "nvidia.com/gpu=0".
        package var devices: [String]

        package init(
            nanoCPUs: Int64, memoryBytes: Int64, pids: Int, ulimits: [Ulimit], logBytes: Int64, networkMode: String, devices: [String] = []
        ) {
            self.devices = devices
            self.nanoCPUs = nanoCPUs
            self.memoryBytes = memoryBytes
            self.pids = pids
            self.ulimits = ulimits
            self.logBytes = logBytes
            self.networkMode = networkMode
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            // An init reaps what the app leaves behind and passes SIGTERM on.
            try container.encode(true, forKey: "Init")
            try container.encode(nanoCPUs, forKey: "NanoCpus")
            try container.encode(memoryBytes, forKey: "Memory")
            // Equal to memory: no swap, so that the cap is what it says.
            try container.encode(memoryBytes, forKey: "MemorySwap")
            try container.encode(pids, forKey: "PidsLimit")
            try container.encode(ulimits, forKey: "Ulimits")
            try container.encode(["ALL"], forKey: "CapDrop")
            try container.encode(["no-new-privileges"], forKey: "SecurityOpt")
            try container.encode("private", forKey: "IpcMode")
            try container.encode(networkMode, forKey: "NetworkMode")
            try container.encode(["Name": "no"], forKey: "RestartPolicy")
            try container.encode(ContainerSpec.sysctls, forKey: "Sysctls")
            if !devices.isEmpty { try container.encode([DeviceRequest(DeviceIDs: devices)], forKey: "DeviceRequests") }
            var log = container.nestedContainer(keyedBy: Key.self, forKey: "LogConfig")
            try log.encode(isUnlogged ? "none" : "json-file", forKey: "Type")
            if !isUnlogged { try log.encode(["max-size": "\(logBytes)"], forKey: "Config") }
        }
    }

    /// As Docker takes devices of the Container Device Interface.
    private struct DeviceRequest: Encodable {
        var Driver = "cdi"
        var DeviceIDs: [String]
    }

    package struct Ulimit: Encodable, Sendable, Hashable {
        package var name: String
        package var soft: Int64
        package var hard: Int64

        package init(name: String, soft: Int64, hard: Int64) {
            self.name = name
            self.soft = soft
            self.hard = hard
        }

        enum CodingKeys: String, CodingKey {
            case name = "Name"
            case soft = "Soft"
            case hard = "Hard"
        }
    }

    package init(
        image: String, entrypoint: [String]?, command: [String]?, user: String?, env: [String], labels: [String: String], stopTimeout: Int,
        host: Host
    ) {
        self.image = image
        self.entrypoint = entrypoint
        self.command = command
        self.user = user
        self.env = env
        self.labels = labels
        self.stopTimeout = stopTimeout
        self.host = host
        network = host.networkMode
    }

    /// An image of the Web's ports is run without root; the name space is its own. Docker does so by itself since 20.10.
    static let sysctls = ["net.ipv4.ip_unprivileged_port_start": "0"]

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(image, forKey: "Image")
        try container.encodeIfPresent(entrypoint, forKey: "Entrypoint")
        try container.encodeIfPresent(command, forKey: "Cmd")
        try container.encodeIfPresent(user, forKey: "User")
        try container.encode(env, forKey: "Env")
        try container.encode(labels, forKey: "Labels")
        if hasTerminal { try container.encode(true, forKey: "Tty") }
        if takesInput {
            for key: Key in ["OpenStdin", "StdinOnce", "AttachStdin"] { try container.encode(true, forKey: key) }
        }
        try container.encode(stopTimeout, forKey: "StopTimeout")
        try container.encode("SIGTERM", forKey: "StopSignal")
        try container.encode(host, forKey: "HostConfig")
        var networking = container.nestedContainer(keyedBy: Key.self, forKey: "NetworkingConfig")
        try networking.encode([network: [String: String]()], forKey: "EndpointsConfig")
    }

    private struct Key: CodingKey, ExpressibleByStringLiteral {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init(stringLiteral value: String) { stringValue = value }
        init?(intValue: Int) { nil }
    }
}
