import GRDB
import Hummingbird
import Logging
import Models
import Store

extension APIController {
    var quotaRoutes: [Route] {
        let quotas = Schema.object([.init("quotas", .array(.named("Quota")), "By scope and name")])
        return [
            Route(
                method: .get, path: "/quotas", name: "listQuotas", summary: "The ceilings that admins set, and what is used of them",
                answer: .json(quotas, "The ceilings"), handler: .admin(list)),
            Route(
                method: .patch, path: "/quotas", name: "changeQuota",
                summary: "Set ceilings; what is null has none any more, what is left out stays",
                body: .object([
                    .init("scope", .word(QuotaScope.allCases.map(\.rawValue)), "What it is for"),
                    .init("name", .string(length: 1...64), "The app or user; every one without its own where left out", isRequired: false),
                    .init("cpuMillis", .nullable(.integer(0...Int.max)), "Thousandths of a core", isRequired: false),
                    .init("memoryBytes", .nullable(.integer(0...Int.max)), "Memory", isRequired: false),
                    .init("gpus", .nullable(.integer(0...Int.max)), "GPUs", isRequired: false),
                    .init("replicas", .nullable(.integer(0...Int.max)), "Replicas, of an app, user or the platform", isRequired: false),
                    .init("apps", .nullable(.integer(0...Int.max)), "Apps, of a user or the platform", isRequired: false),
                ]),
                answer: .json(quotas, "The ceilings as they are now"), failures: [.notFound], handler: .admin(change)),
        ]
    }

    struct QuotaView: Sendable {
        var scope: QuotaScope
        var name: String?
        var quota: Quota
        /// nil where it is for every one of a kind.
        var use: ResourceUse?
        var apps: Int?
    }

    static let quotaShape: Shape<QuotaView> = {
        func number(
            _ name: String, _ description: String, _ value: @escaping @Sendable (QuotaView) -> Int?
        ) -> Shape<QuotaView>.Member {
            .init(name, .nullable(.integer(0...Int.max)), description) { JSON(value($0)) }
        }
        return Shape<QuotaView>(
            "Quota",
            [
                .init("scope", .word(QuotaScope.allCases.map(\.rawValue)), "What it is for") { .string($0.scope.rawValue) },
                .init("name", .nullable(.string()), "The app or user; null for every one without its own") { JSON($0.name) },
                number("cpuMillis", "Thousandths of a core at most") { $0.quota.cpuMillis },
                number("memoryBytes", "Memory at most") { $0.quota.memoryBytes.map { Int($0) } },
                number("gpus", "GPUs at most") { $0.quota.gpus },
                number("replicas", "Replicas at most") { $0.quota.replicas },
                number("apps", "Apps at most") { $0.quota.apps },
                number("usedCPUMillis", "Thousandths of a core that are given away; null where it is for every one") { $0.use?.cpuMillis },
                number("usedMemoryBytes", "Memory that is given away") { $0.use.map { Int($0.memoryBytes) } },
                number("usedGPUs", "GPUs that are given away") { $0.use?.gpus },
                number("usedReplicas", "Replicas that are wanted") { $0.use?.replicas },
                number("usedApps", "Apps that there are") { $0.apps },
            ])
    }()

    private func current() async throws -> Response {
        let views = try await store.read { db in
            let holdings = try Holding.fetchAll(db)
            return try QuotaRecord.fetchAll(db).compactMap { row -> QuotaView? in
                guard let scope = QuotaScope(rawValue: row.scope) else { return nil }
                let isNamed = row.appID != nil || row.userID != nil
                let mine = holdings.filter {
                    scope == .platform || isNamed && ($0.appID == row.appID || $0.ownerID == row.userID)
                }
                let name =
                    try row.appID.flatMap { try AppRecord.filter(key: $0).fetchOne(db)?.name.rawValue }
                    ?? row.userID.flatMap { try UserRecord.filter(key: $0).fetchOne(db)?.username }
                let isCounted = isNamed || scope == .platform
                return QuotaView(
                    scope: scope, name: name, quota: row.quota, use: isCounted ? mine.map(\.use).reduce(ResourceUse(), +) : nil,
                    apps: isCounted && scope != .app ? mine.count : nil)
            }
        }
        let order = QuotaScope.allCases
        return try .json([
            "quotas": Self.quotaShape.json(
                views.sorted { (order.firstIndex(of: $0.scope)!, $0.name ?? "") < (order.firstIndex(of: $1.scope)!, $1.name ?? "") })
        ])
    }

    @Sendable private func list(_ call: Call, _ principal: Principal) async throws -> Response { try await current() }

    @Sendable private func change(_ call: Call, _ principal: Principal) async throws -> Response {
        let scope = try QuotaScope.checked(call.body["scope"].string, key: "scope")
        let (name, members) = (call.body["name"].string, call.body.members)
        let takes =
            ["cpuMillis", "memoryBytes", "gpus"] + (scope == .replica ? [] : ["replicas"])
            + (scope == .user || scope == .platform ? ["apps"] : [])
        let keys = members.keys.filter { $0 != "scope" && $0 != "name" }.sorted()
        guard !keys.isEmpty else { throw MoorError(.invalid, "no ceiling is named", hint: "name one of \(takes.joined(separator: ", "))") }
        if let wrong = keys.first(where: { !takes.contains($0) }) {
            throw MoorError(.invalid, "\(scope.rawValue) has no ceiling of \(wrong)", hint: "name one of \(takes.joined(separator: ", "))")
        }
        try await store.write { db in
            try QuotaRecord.change(scope, name: name, db) { quota in
                if let value = members["cpuMillis"] { quota.cpuMillis = value.integer }
                if let value = members["memoryBytes"] { quota.memoryBytes = value.integer.map { Int64($0) } }
                if let value = members["gpus"] { quota.gpus = value.integer }
                if let value = members["replicas"] { quota.replicas = value.integer }
                if let value = members["apps"] { quota.apps = value.integer }
            }
        }
        logger.info("quota set", metadata: ["scope": "\(scope.rawValue)", "name": "\(name ?? "")", "by": "\(principal.username)"])
        return try await current()
    }
}
