package import Engine

/// Everything of the local orchestrator that may differ between platforms.
package struct LocalOrchestratorConfiguration: Sendable {
    /// Tells this platform's containers, networks and firewall rules from those of others on the same host and engine.
    /// Never changes for a data folder.
    package var platformID: String
    /// What the apps' networks (a /24 each) are cut from, in CIDR notation.
    package var subnetPool: String
    /// The one port of the host that an app reaches: the inside listener, on its network's gateway address.
    package var insidePort: Int
    /// What builds may reach where it is an address of this host, as "host:port": a package index, a proxy.
    package var buildEndpoints: [String]
    /// Seconds between SIGTERM and SIGKILL.
    package var stopGraceSeconds: Int
    /// Between health checks of a replica that is ready.
    package var probeInterval: Duration
    /// How long an answer to one may take.
    package var probeDeadline: Duration
    /// How long a replica may be unhealthy before it is started anew, where its check says nothing else.
    package var restartAfter: Duration
    package var backoff: Backoff
    /// Between looks at everything the engine has, in case an event was missed.
    package var resyncInterval: Duration
    /// Between looks at what replicas with a cap on their disk have written to it.
    package var diskInterval: Duration
    /// Bytes of log the engine keeps of each container.
    package var logBytes: Int64
    /// Containers that are created and started at the same time.
    package var parallelLaunches: Int
    package var limits: HostLimits
    /// The kind of device that counts as a GPU (Container Device Interface).
    package var gpuKind: String
    /// What replicas may ask for together; nil: whatever they like. GPUs are counted in any case.
    package var room: Room?

    package init(
        platformID: String, subnetPool: String = "10.212.0.0/14", insidePort: Int = 7911, buildEndpoints: [String] = [],
        stopGraceSeconds: Int = 10,
        probeInterval: Duration = .seconds(5), probeDeadline: Duration = .seconds(10), restartAfter: Duration = .seconds(60),
        backoff: Backoff = Backoff(), resyncInterval: Duration = .seconds(30),
        diskInterval: Duration = .seconds(10), logBytes: Int64 = 10 << 20, parallelLaunches: Int = 4,
        limits: HostLimits = .read(), gpuKind: String = "nvidia.com/gpu", room: Room? = nil
    ) {
        self.platformID = platformID
        self.subnetPool = subnetPool
        self.insidePort = insidePort
        self.buildEndpoints = buildEndpoints
        self.stopGraceSeconds = stopGraceSeconds
        self.probeInterval = probeInterval
        self.probeDeadline = probeDeadline
        self.restartAfter = restartAfter
        self.backoff = backoff
        self.resyncInterval = resyncInterval
        self.diskInterval = diskInterval
        self.logBytes = logBytes
        self.parallelLaunches = parallelLaunches
        self.limits = limits
        self.gpuKind = gpuKind
        self.room = room
    }
}

/// How long a replica that ended waits before it is started again: 1 s, 2, 4, … at most `longest`.
package struct Backoff: Sendable, Hashable {
    package var first: Duration
    package var longest: Duration
    /// One that was well for so many times its last wait begins anew: so nobody waits for more than that part of the time, and
    /// one that is killed now and then is there again at once.
    package var healthyWaits: Int

    package init(first: Duration = .seconds(1), longest: Duration = .seconds(300), healthyWaits: Int = 10) {
        self.first = first
        self.longest = longest
        self.healthyWaits = healthyWaits
    }

    /// - Parameter failures: in a row, this one included.
    package func delay(failures: Int) -> Duration {
        var delay = first
        for _ in 1..<max(failures, 1) where delay < longest { delay = delay * 2 }
        return min(delay, longest)
    }
}
