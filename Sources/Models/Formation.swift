/// What one replica may use, in the units that containers are capped with.
package struct Resources: Codable, Sendable, Hashable {
    /// Thousandths of a core (Kubernetes "500m").
    package var cpuMillis: Int
    /// Bytes.
    package var memoryBytes: Int64
    /// Processes and threads.
    package var pids: Int
    /// Bytes that it may write to its own disk, which goes with it; nil: as much as there is.
    package var diskBytes: Int64?
    /// How many GPUs a replica is given.
    package var gpus: Int
    /// On a host without enough GPUs it is started without any.
    package var areGPUsOptional: Bool

    package init(
        cpuMillis: Int = 1000, memoryBytes: Int64 = 1 << 30, pids: Int = 512, diskBytes: Int64? = nil, gpus: Int = 0,
        areGPUsOptional: Bool = false
    ) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.pids = pids
        self.diskBytes = diskBytes
        self.gpus = gpus
        self.areGPUsOptional = areGPUsOptional
    }

    /// Releases keep what they were made with: older ones name no GPUs and no disk.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        cpuMillis = try container.decode(Int.self, forKey: .cpuMillis)
        memoryBytes = try container.decode(Int64.self, forKey: .memoryBytes)
        pids = try container.decode(Int.self, forKey: .pids)
        diskBytes = try container.decodeIfPresent(Int64.self, forKey: .diskBytes)
        gpus = try container.decodeIfPresent(Int.self, forKey: .gpus) ?? 0
        areGPUsOptional = try container.decodeIfPresent(Bool.self, forKey: .areGPUsOptional) ?? false
    }

    /// What is as it was before there were GPUs and caps on disks is written as it was: running replicas are told from changed ones by it.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(cpuMillis, forKey: .cpuMillis)
        try container.encode(memoryBytes, forKey: .memoryBytes)
        try container.encode(pids, forKey: .pids)
        try container.encodeIfPresent(diskBytes, forKey: .diskBytes)
        if gpus > 0 { try container.encode(gpus, forKey: .gpus) }
        if areGPUsOptional { try container.encode(areGPUsOptional, forKey: .areGPUsOptional) }
    }

    private enum CodingKeys: String, CodingKey { case cpuMillis, memoryBytes, pids, diskBytes, gpus, areGPUsOptional }
}

/// One process type of an app, as Procfile and moor.yaml name it.
package struct ProcessSpec: Codable, Sendable, Hashable {
    /// "web" gets HTTP on `$PORT`; every other name runs without HTTP; "release" runs once before the rollout.
    package var name: String
    /// The shell command as the Procfile gives it; run inside the container by its own shell.
    package var command: String
    /// Replicas at the first deploy; later deploys keep what `scale` said.
    package var replicas: Int
    package var resources: Resources
    /// `web` has one; another process only where the app says with which command it is looked at.
    package var health: HealthCheck?
    /// Each viewer stays with one replica: it keeps what it knows of them in its own memory.
    package var sticky: Bool
    /// Where it listens in its container; nil: `webPort`. Either way it is told as `$PORT`.
    package var port: Int?
    /// What of `resources` somebody asked for, in order; the rest are defaults.
    package var declared: [ResourceKey]
    /// nil: every new replica beside every old one, and the traffic switched at once.
    package var rollout: RolloutStrategy?
    /// Of `web`.
    package var drain: DrainTimes?

    package init(
        name: String, command: String, replicas: Int = 1, resources: Resources = Resources(), health: HealthCheck? = nil,
        sticky: Bool = false, port: Int? = nil, declared: [ResourceKey] = [], rollout: RolloutStrategy? = nil, drain: DrainTimes? = nil
    ) {
        self.name = name
        self.command = command
        self.replicas = replicas
        self.resources = resources
        self.health = health
        self.sticky = sticky
        self.port = port
        self.declared = declared
        self.rollout = rollout
        self.drain = drain
    }

    /// Formations that were kept before there was a `sticky`, a `port` or a `declared` say nothing of it.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        command = try values.decode(String.self, forKey: .command)
        replicas = try values.decode(Int.self, forKey: .replicas)
        resources = try values.decode(Resources.self, forKey: .resources)
        health = try values.decodeIfPresent(HealthCheck.self, forKey: .health)
        sticky = try values.decodeIfPresent(Bool.self, forKey: .sticky) ?? false
        port = try values.decodeIfPresent(Int.self, forKey: .port)
        declared = try values.decodeIfPresent([ResourceKey].self, forKey: .declared) ?? []
        rollout = try values.decodeIfPresent(RolloutStrategy.self, forKey: .rollout)
        drain = try values.decodeIfPresent(DrainTimes.self, forKey: .drain)
    }

    package var listensOn: Int { port ?? webPort }
    package var isWeb: Bool { name == "web" }
    package var isReleaseCommand: Bool { name == "release" }
}

/// The process types of a release.
package typealias Formation = [ProcessSpec]

/// The port a web process listens on inside its container unless its image says another, given as `$PORT`.
package let webPort = 5000
