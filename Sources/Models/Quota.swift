/// The most that may be used of each thing; nil: as much as there is.
package struct Quota: Codable, Sendable, Hashable {
    /// Thousandths of a core.
    package var cpuMillis: Int?
    package var memoryBytes: Int64?
    package var gpus: Int?
    package var replicas: Int?
    /// How many apps there may be.
    package var apps: Int?

    package init(cpuMillis: Int? = nil, memoryBytes: Int64? = nil, gpus: Int? = nil, replicas: Int? = nil, apps: Int? = nil) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.gpus = gpus
        self.replicas = replicas
        self.apps = apps
    }
}

/// What a ceiling is for.
package enum QuotaScope: String, Codable, Sendable, CaseIterable {
    /// Any one replica.
    case replica
    /// All replicas of an app.
    case app
    /// All replicas of all apps that a user owns.
    case user
    /// Everything.
    case platform
}

/// Sums of what replicas are given. A rollout's old replicas are not counted: they are about to go.
package struct ResourceUse: Sendable, Hashable {
    package var cpuMillis = 0
    package var memoryBytes: Int64 = 0
    package var gpus = 0
    package var replicas = 0

    package init() {}

    /// Of one replica.
    package init(_ resources: Resources) {
        cpuMillis = resources.cpuMillis
        memoryBytes = resources.memoryBytes
        gpus = resources.gpus
        replicas = 1
    }

    /// Of all replicas of the processes that keep running.
    /// - Parameter counts: by process; others have what the formation says.
    package init(_ processes: Formation, counts: [String: Int]) {
        for process in processes where !process.isReleaseCommand {
            let count = counts[process.name] ?? process.replicas
            cpuMillis += process.resources.cpuMillis * count
            memoryBytes += process.resources.memoryBytes * Int64(count)
            gpus += process.resources.gpus * count
            replicas += count
        }
    }

    package static func + (a: ResourceUse, b: ResourceUse) -> ResourceUse {
        var sum = a
        sum.cpuMillis += b.cpuMillis
        sum.memoryBytes += b.memoryBytes
        sum.gpus += b.gpus
        sum.replicas += b.replicas
        return sum
    }
}

/// A quota with whom it holds for.
package struct Ceiling: Sendable, Hashable {
    package var scope: QuotaScope
    /// The app's or user's name; nil where the scope has none, or for every one that has no quota of its own.
    package var name: String?
    package var quota: Quota

    package init(scope: QuotaScope, name: String?, quota: Quota) {
        self.scope = scope
        self.name = name
        self.quota = quota
    }

    /// Refuses what is above it, unless there was no less of it before: a ceiling that was lowered stops no rollback and no
    /// smaller step down.
    /// - Parameter replica: whose replicas are looked at, such as "web of sales", where the scope is one replica.
    package func check(_ after: ResourceUse, before: ResourceUse, replica: String = "") throws(MoorError) {
        try check(quota.memoryBytes, after.memoryBytes, before.memoryBytes, replica) { "\(Quantity.text(bytes: $0)) of memory" }
        try check(quota.cpuMillis, after.cpuMillis, before.cpuMillis, replica) { Quantity.text(millis: $0) }
        try check(quota.gpus, after.gpus, before.gpus, replica) { "\($0) \($0 == 1 ? "GPU" : "GPUs")" }
        if scope != .replica {
            try check(quota.replicas, after.replicas, before.replicas, replica) { "\($0) \($0 == 1 ? "replica" : "replicas")" }
        }
    }

    private func check<N: BinaryInteger>(
        _ most: N?, _ after: N, _ before: N, _ replica: String, _ text: (N) -> String
    ) throws(MoorError) {
        guard let most, after > most, after > before else { return }
        let advice = "ask for less, or ask the platform's admin, who sets this (moor quota set \(flag))"
        if scope == .replica {
            throw MoorError(
                .conflict, "a replica of \(replica) would have \(text(after)); one replica may have at most \(text(most))", hint: advice)
        }
        throw MoorError(
            .conflict, "\(subject) would have \(text(after)); the ceiling is \(text(most))",
            hint: "\(before == 0 ? "nothing of it is" : "\(text(before)) \(before == 1 ? "is" : "are")") in use now; \(advice)")
    }

    /// Whose use is limited, for people.
    package var subject: String {
        switch scope {
        case .replica: "one replica"
        case .app: name ?? "each app"
        case .user: name.map { "the apps of \($0) together" } ?? "the apps of each user together"
        case .platform: "all apps together"
        }
    }

    /// How the command line names it.
    package var flag: String {
        switch scope {
        case .replica, .platform: "--\(scope.rawValue)"
        case .app, .user: name.map { "--\(scope.rawValue) \($0)" } ?? "--every-\(scope.rawValue)"
        }
    }
}
