package import GRDB
package import Models

/// What one app's replicas are given together, as the rows have it.
package struct Holding: Sendable {
    package var appID: AppID
    package var app: AppName
    package var ownerID: UserID
    package var owner: String
    /// Of the release that is live; nil before the first.
    package var live: ReleaseRecord?
    /// Replicas by process, as people asked for.
    package var scales: [String: Int]
    package var use: ResourceUse

    /// Of every app that is not being removed. One that rolls out counts with what it is going to be.
    package static func fetchAll(_ db: Database) throws -> [Holding] {
        let releases = Dictionary(
            grouping: try ReleaseRecord.filter(["live", "rolling"].contains(Column("state"))).fetchAll(db), by: \.appID)
        let scales = Dictionary(grouping: try ScaleRecord.fetchAll(db), by: \.appID)
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT apps.id, apps.name, apps.ownerID, users.username FROM apps JOIN users ON users.id = apps.ownerID
                WHERE deletingAt IS NULL ORDER BY apps.name
                """)
        return rows.map { row in
            let appID: AppID = row["id"]
            let counts = Dictionary((scales[appID] ?? []).map { ($0.process, $0.replicas) }, uniquingKeysWith: { $1 })
            let live = releases[appID]?.first { $0.state == .live }
            let newest = releases[appID]?.first { $0.state == .rolling } ?? live
            return Holding(
                appID: appID, app: row["name"], ownerID: row["ownerID"], owner: row["username"], live: live, scales: counts,
                use: newest.map { ResourceUse($0.processes, counts: counts) } ?? ResourceUse())
        }
    }
}

extension Ceiling {
    /// The ceilings that hold for the app.
    package static func of(_ app: Holding, _ db: Database) throws -> [Ceiling] {
        let quotas = try QuotaRecord.fetchAll(db)
        func everyones(_ scope: QuotaScope) -> QuotaRecord? {
            quotas.first { $0.scope == scope.rawValue && $0.appID == nil && $0.userID == nil }
        }
        let chosen: [(QuotaScope, String?, QuotaRecord?)] = [
            (.replica, nil, everyones(.replica)),
            (.app, app.app.rawValue, quotas.first { $0.appID == app.appID } ?? everyones(.app)),
            (.user, app.owner, quotas.first { $0.userID == app.ownerID } ?? everyones(.user)),
            (.platform, nil, everyones(.platform)),
        ]
        return chosen.compactMap { scope, name, record in record.map { Ceiling(scope: scope, name: name, quota: $0.quota) } }
    }
}
