import Models

typealias Instant = ContinuousClock.Instant

/// Decides how many replicas one process should have. Pure: what was seen and the time go in, a number comes out.
///
/// The algorithm is that of Kubernetes' HorizontalPodAutoscaler ("Algorithm details", "Configurable scaling behavior" of its
/// documentation) with its defaults: a tolerance of 10 %, at most a doubling or four more each 15 s, and fewer only when
/// that was the recommendation for the whole stabilisation window.
struct Autoscaler: Sendable {
    /// One replica that answers.
    struct Replica: Sendable, Hashable {
        /// nil where there is no sample of it yet.
        var cpuMillis: Int?
        var memoryBytes: Int64?
    }

    struct Observation: Sendable {
        /// How many there should be at the moment.
        var current: Int
        /// Those that answer; the others are still starting.
        var ready: [Replica]
        /// Open at the moment, for all replicas together.
        var requestsInFlight: Int
        /// Of all replicas together, on average over the last while.
        var requestsPerSecond: Double
        /// Since the last request ended.
        var idleFor: Duration
    }

    static let tolerance = 0.1
    static let period = Duration.seconds(15)

    let policy: Autoscale
    /// What a replica may use.
    let cap: Resources
    private var recommendations: [(at: Instant, count: Int)] = []
    private var additions: [(at: Instant, count: Int)] = []

    init(policy: Autoscale, cap: Resources) {
        self.policy = policy
        self.cap = cap
    }

    /// - Returns: how many there should be from now on.
    mutating func decide(_ seen: Observation, now: Instant) -> Int {
        guard seen.current > 0 else { return policy.min }
        if policy.min == 0, seen.requestsInFlight == 0, seen.idleFor >= .seconds(policy.idleSeconds) {
            recommendations = []
            return 0
        }
        let wanted = Swift.min(Swift.max(recommendation(seen), policy.min, 1), policy.max)
        let window = now - .seconds(policy.stabilizationSeconds)
        recommendations.removeAll { $0.at < window }
        recommendations.append((now, wanted))
        if wanted > seen.current { return grow(seen.current, to: wanted, now: now) }
        // The highest of the window, so that a dip of the load takes nothing away that is needed again at once.
        let stable = recommendations.map(\.count).max() ?? wanted
        return Swift.min(Swift.max(stable, policy.min, 1), Swift.min(seen.current, policy.max))
    }

    private mutating func grow(_ current: Int, to wanted: Int, now: Instant) -> Int {
        additions.removeAll { $0.at <= now - Self.period }
        let before = current - additions.reduce(0) { $0 + $1.count }
        let count = Swift.min(wanted, Swift.max(before * 2, before + 4))
        guard count > current else { return current }
        additions.append((now, count - current))
        return count
    }

    /// The highest that any metric asks for; where one is not known, no fewer than there are.
    private func recommendation(_ seen: Observation) -> Int {
        var wanted: [Int?] = []
        if let percent = policy.cpuPercent {
            wanted.append(utilisation(seen, target: Double(percent * cap.cpuMillis) / 100) { $0.cpuMillis.map(Double.init) })
        }
        if let percent = policy.memoryPercent {
            wanted.append(utilisation(seen, target: Double(percent) * Double(cap.memoryBytes) / 100) { $0.memoryBytes.map(Double.init) })
        }
        if let target = policy.inFlight { wanted.append(average(Double(seen.requestsInFlight), seen, target: Double(target))) }
        if let target = policy.requestsPerSecond { wanted.append(average(seen.requestsPerSecond, seen, target: Double(target))) }
        let known = wanted.compactMap(\.self)
        let highest = known.max() ?? seen.current
        return known.count == wanted.count ? highest : Swift.max(highest, seen.current)
    }

    /// A metric that is measured for all replicas together.
    private func average(_ total: Double, _ seen: Observation, target: Double) -> Int {
        let ratio = total / (target * Double(seen.current))
        return abs(ratio - 1) <= Self.tolerance ? seen.current : Int((total / target).rounded(.up))
    }

    /// A metric that each replica has.
    /// - Returns: nil where none has it.
    private func utilisation(_ seen: Observation, target: Double, _ value: (Replica) -> Double?) -> Int? {
        let values = seen.ready.compactMap(value)
        guard !values.isEmpty else { return nil }
        let ratio = values.reduce(0, +) / (target * Double(values.count))
        let unknown = Swift.max(0, seen.current - values.count)
        guard unknown > 0 else { return count(ratio, of: values.count, seen.current) }
        // Those that start, or that nothing is known of, are taken to do nothing where more are asked for, and all they
        // should where fewer are: so the answer errs to the side of no change.
        let assumed = ratio > 1 ? 0 : target * Double(unknown)
        let adjusted = (values.reduce(0, +) + assumed) / (target * Double(values.count + unknown))
        guard (ratio > 1) == (adjusted > 1) else { return seen.current }
        return count(adjusted, of: values.count + unknown, seen.current)
    }

    private func count(_ ratio: Double, of replicas: Int, _ current: Int) -> Int {
        abs(ratio - 1) <= Self.tolerance ? current : Int((ratio * Double(replicas)).rounded(.up))
    }
}
