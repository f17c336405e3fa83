package import GRDB
package import Models

/// A ceiling that an admin set: of one app or user where it names one, else of every one that has none of its own.
package struct QuotaRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
    package static let databaseTableName = "quotas"

    package var id: Int64?
    package var scope: String
    package var appID: AppID?
    package var userID: UserID?
    package var cpuMillis: Int?
    package var memoryBytes: Int64?
    package var gpus: Int?
    package var replicas: Int?
    package var apps: Int?

    package init(scope: QuotaScope, appID: AppID? = nil, userID: UserID? = nil) {
        self.scope = scope.rawValue
        self.appID = appID
        self.userID = userID
    }

    package mutating func didInsert(_ inserted: InsertionSuccess) { id = inserted.rowID }

    package var quota: Quota {
        get { Quota(cpuMillis: cpuMillis, memoryBytes: memoryBytes, gpus: gpus, replicas: replicas, apps: apps) }
        set {
            (cpuMillis, memoryBytes, gpus) = (newValue.cpuMillis, newValue.memoryBytes, newValue.gpus)
            (replicas, apps) = (newValue.replicas, newValue.apps)
        }
    }

    /// Changes the quota of an app, a user or whatever the scope is; one that limits nothing any more goes.
    /// - Parameter name: of the app or user; nil for every one without one of its own.
    /// - Throws: `notFound` where nobody is called that; `invalid` where the scope has no names.
    package static func change(_ scope: QuotaScope, name: String?, _ db: Database, _ change: (inout Quota) -> Void) throws {
        var row = QuotaRecord(scope: scope)
        switch (scope, name) {
        case (_, nil): break
        case (.app, let name?):
            row.appID = try AppRecord.filter(Column("name") == name && Column("deletingAt") == nil).fetchOne(db)?.id
            if row.appID == nil { throw MoorError(.notFound, "there is no app “\(name)”", hint: "moor apps lists those there are") }
        case (.user, let name?):
            row.userID = try UserRecord.filter(Column("username") == name && Column("disabledAt") == nil).fetchOne(db)?.id
            if row.userID == nil { throw MoorError(.notFound, "there is no user “\(name)”", hint: "moor users list shows who there is") }
        case (.replica, _), (.platform, _):
            throw MoorError(.invalid, "the ceiling of \(scope.rawValue) is for no single name", hint: "leave the name out")
        }
        let (appID, userID) = (row.appID, row.userID)
        if let old = try filter(Column("scope") == scope.rawValue && Column("appID") === appID && Column("userID") === userID).fetchOne(db)
        {
            row = old
        }
        change(&row.quota)
        if row.quota == Quota() {
            if row.id != nil { try row.delete(db) }
        } else {
            try row.save(db)
        }
    }

    /// - Throws: `conflict` where the user, or the platform, may have no further app.
    package static func checkCount(ofAppsOf owner: Principal, _ db: Database) throws {
        let quotas = try fetchAll(db)
        let mine = quotas.first { $0.userID == owner.userID } ?? quotas.first { $0.scope == "user" && $0.userID == nil }
        let all = AppRecord.filter(Column("deletingAt") == nil)
        for (row, apps, who) in [
            (mine, all.filter(Column("ownerID") == owner.userID), "\(owner.username) may own"),
            (quotas.first { $0.scope == "platform" }, all, "this platform may have"),
        ] {
            guard let most = row?.apps, case let count = try apps.fetchCount(db), count >= most else { continue }
            throw MoorError(
                .conflict, "\(who) at most \(most) \(most == 1 ? "app" : "apps")",
                hint: "there \(count == 1 ? "is" : "are") \(count); delete one, or ask the platform's admin, who sets this (moor quota set)"
            )
        }
    }
}
