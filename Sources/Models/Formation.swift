/// What one replica may use, in the units that containers are capped with.
package struct Resources: Codable, Sendable, Hashable {
    /// Thousandths of a core (Kubernetes "500m").
    package var cpuMillis: Int
    /// Bytes.
    package var memoryBytes: Int64
    /// Processes and threads.
    package var pids: Int

    package init(cpuMillis: Int = 1000, memoryBytes: Int64 = 1 << 30, pids: Int = 512) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.pids = pids
    }
}

/// How a replica of a process that answers HTTP shows that it is well: any answer below 500 on `path`.
package struct HealthCheck: Codable, Sendable, Hashable {
    package var path: String
    /// Seconds from start within which the first good answer must come.
    package var timeoutSeconds: Int

    package init(path: String = "/", timeoutSeconds: Int = 60) {
        self.path = path
        self.timeoutSeconds = timeoutSeconds
    }
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
    /// Only `web` has one.
    package var health: HealthCheck?

    package init(name: String, command: String, replicas: Int = 1, resources: Resources = Resources(), health: HealthCheck? = nil) {
        self.name = name
        self.command = command
        self.replicas = replicas
        self.resources = resources
        self.health = health
    }

    package var isWeb: Bool { name == "web" }
    package var isReleaseCommand: Bool { name == "release" }
}

/// The process types of a release.
package typealias Formation = [ProcessSpec]

/// The port every web process listens on inside its container, given as `$PORT`.
package let webPort = 5000
