import GRDB
import Logging
package import Models
import Store

extension ReleaseService {
    /// Changes what each replica of a process is given: a release of the same image and config with it is rolled out, and the
    /// wish counts once that is live. Later releases take it over.
    ///
    /// The `release` command is not run again: there is no new code to prepare for.
    /// - Parameters:
    ///   - wish: what it says nothing of stays as it is.
    ///   - reset: forgets first what was set before, so that the app's own files count.
    /// - Returns: the new release's number; nil where nothing changes.
    /// - Throws: `invalid` for an unknown process or a value out of range; `conflict` above a ceiling, or where the app has no
    ///   live release; else as `deploy`, and then all is as it was before.
    package func setResources(
        appID: AppID, process: String, to wish: ResourceWish, reset: Bool, by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int? {
        try wish.check()
        return try await exclusively(appID, log: log) { (change) async throws(MoorError) -> Int? in
            guard let live = try await self.desiredState(of: appID)?.live?.release else {
                throw MoorError(.conflict, "\(change.app) has no release yet", hint: "push first; until then moor.yaml says it")
            }
            guard live.formation.contains(where: { $0.name == process }) else {
                throw MoorError(
                    .invalid, "\(change.app) has no process “\(process.prefix(60).filter { !$0.isNewline })”",
                    hint: "v\(live.number) has \(live.formation.map(\.name).joined(separator: ", "))")
            }
            var wishes = live.wishes ?? [:]
            var new = (reset ? ResourceWish() : wishes[process] ?? ResourceWish()).overridden(by: wish)
            new.by = principal.username
            wishes[process] = new.keys.isEmpty ? nil : new
            guard wishes.mapValues(\.unsigned) != (live.wishes ?? [:]).mapValues(\.unsigned) else {
                await change.log.line("\(process) has that already; nothing to do")
                return nil
            }
            let draft = ReleaseDraft(
                imageID: live.imageID, formation: live.formation, config: .current, cause: .config,
                description: Self.describe(wish, of: process, reset: reset), userID: principal.userID, pushID: live.pushID, wishes: wishes)
            let release = try await self.createRelease(draft, appID: appID)
            return try await self.rollOut(release, as: .whole, change: change)
        }
    }

    static func describe(_ wish: ResourceWish, of process: String, reset: Bool) -> String {
        let parts = [
            wish.cpuMillis.map { Quantity.text(millis: $0) }, wish.memoryBytes.map { "\(Quantity.text(bytes: $0)) of memory" },
            wish.pids.map { "\($0) pids" }, wish.diskBytes.map { "\(Quantity.text(bytes: $0)) of disk" }, wish.gpus.map { "\($0) GPUs" },
        ].compactMap(\.self)
        let reset = reset ? ["as its files say"] : []
        return "\(process): \((reset + parts).joined(separator: ", "))"
    }

    /// What people set, as the live release has it.
    static func wishes(of appID: AppID, _ db: Database) throws -> [String: ResourceWish] {
        try ReleaseRecord.filter(Column("appID") == appID && Column("state") == "live").fetchOne(db)?.wishes ?? [:]
    }

    /// The formation with its defaults lowered to what one replica may have.
    /// - Throws: `conflict` where what is asked for is above a ceiling.
    static func withinCeilings(
        _ formation: Formation, wishes: [String: ResourceWish], of appID: AppID, _ db: Database
    ) throws -> Formation {
        guard try QuotaRecord.fetchCount(db) > 0 else { return formation }
        var formation = formation
        if let most = try QuotaRecord.filter(Column("scope") == QuotaScope.replica.rawValue).fetchOne(db)?.quota {
            for index in formation.indices {
                let declared = formation[index].declared
                let given = formation[index].resources
                if !declared.contains(.cpu), let cpu = most.cpuMillis, cpu > 0 {
                    formation[index].resources.cpuMillis = min(given.cpuMillis, cpu)
                }
                if !declared.contains(.memory), let memory = most.memoryBytes, memory > 0 {
                    formation[index].resources.memoryBytes = min(given.memoryBytes, memory)
                }
            }
        }
        let counts = try ScaleRecord.filter(Column("appID") == appID).fetchAll(db)
        try checkCeilings(
            appID, formation.map { wishes[$0.name]?.applied(to: $0) ?? $0 },
            counts: Dictionary(counts.map { ($0.process, $0.replicas) }, uniquingKeysWith: { $1 }), db)
        return formation
    }

    /// - Parameter processes: as they would run.
    /// - Throws: `conflict` where the app would go above a ceiling that it was not above before.
    static func checkCeilings(_ appID: AppID, _ processes: Formation, counts: [String: Int], _ db: Database) throws {
        guard try QuotaRecord.fetchCount(db) > 0 else { return }
        let holdings = try Holding.fetchAll(db)
        guard let mine = holdings.first(where: { $0.appID == appID }) else { return }
        let now = mine.live?.processes ?? []
        let (before, after) = (ResourceUse(now, counts: mine.scales), ResourceUse(processes, counts: counts))
        let others = holdings.filter { $0.appID != appID }
        for ceiling in try Ceiling.of(mine, db) {
            switch ceiling.scope {
            case .replica:
                for process in processes {
                    let before = now.first { $0.name == process.name }.map { ResourceUse($0.resources) } ?? ResourceUse()
                    try ceiling.check(ResourceUse(process.resources), before: before, replica: "\(process.name) of \(mine.app)")
                }
            case .app: try ceiling.check(after, before: before)
            case .user, .platform:
                let rest = others.filter { ceiling.scope == .platform || $0.ownerID == mine.ownerID }.map(\.use).reduce(ResourceUse(), +)
                try ceiling.check(rest + after, before: rest + before)
            }
        }
    }

    /// The ceilings that hold for an app, to be checked before it is built.
    package func ceilings(appID: AppID) async throws(MoorError) -> [Ceiling] {
        try await store.read { db in
            guard let app = try Holding.fetchAll(db).first(where: { $0.appID == appID }) else { return [] }
            return try Ceiling.of(app, db)
        }
    }
}

extension ResourceWish {
    /// Without who said it.
    fileprivate var unsigned: ResourceWish {
        var wish = self
        wish.by = nil
        return wish
    }
}
