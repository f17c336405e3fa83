/// How the number of a process's replicas follows its load: the metrics and behaviour of Kubernetes'
/// HorizontalPodAutoscaler (autoscaling/v2), and an end of all replicas while nobody asks.
package struct Autoscale: Codable, Sendable, Hashable {
    /// 0 only for a process with HTTP, which the next request wakes.
    package var min: Int
    package var max: Int
    /// Per cent of a replica's CPU cap, on average over the replicas.
    package var cpuPercent: Int?
    /// Per cent of a replica's memory cap, on average over the replicas.
    package var memoryPercent: Int?
    /// Requests in flight for each replica.
    package var inFlight: Int?
    /// Requests a second for each replica.
    package var requestsPerSecond: Int?
    /// With `min` 0: seconds without a request until the last replica is stopped.
    package var idleSeconds: Int
    /// Seconds for which the highest recommendation holds before replicas are taken away.
    package var stabilizationSeconds: Int

    package init(
        min: Int, max: Int, cpuPercent: Int? = nil, memoryPercent: Int? = nil, inFlight: Int? = nil, requestsPerSecond: Int? = nil,
        idleSeconds: Int = 900, stabilizationSeconds: Int = 300
    ) {
        self.min = min
        self.max = max
        self.cpuPercent = cpuPercent
        self.memoryPercent = memoryPercent
        self.inFlight = inFlight
        self.requestsPerSecond = requestsPerSecond
        self.idleSeconds = idleSeconds
        self.stabilizationSeconds = stabilizationSeconds
    }
}
