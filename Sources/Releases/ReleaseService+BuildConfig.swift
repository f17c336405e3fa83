import GRDB
package import Models
import Store

extension ReleaseService {
    /// Changes what the app's builds are given. Nothing that runs is touched, so there is no release.
    /// - Throws: `invalid` for a bad name or too large a value; `notFound`.
    package func setBuildConfig(appID: AppID, set: [String: String], unset: [String]) async throws(MoorError) {
        for name in set.keys.sorted() { try ConfigRules.validate(buildName: name) }
        for name in unset {
            try ConfigRules.validate(buildName: name)
            guard set[name] == nil else { throw MoorError(.invalid, "\(name) is both set and unset", hint: "name it once") }
        }
        _ = try await app(appID)
        let sealer = try await environment().sealer
        try await store.write { db in
            let current = try Self.currentBuildConfig(of: appID, sealer, db)
            try ConfigRules.validate(current.merging(set) { $1 }.filter { !unset.contains($0.key) })
            for name in unset {
                try db.execute(sql: "DELETE FROM buildConfig WHERE appID = ? AND key = ?", arguments: [appID, name])
            }
            for (name, value) in set where current[name] != value {
                let sealed = try sealer.sealBuildValue(value, key: name, app: appID)
                try BuildConfigValueRecord(appID: appID, key: name, sealedValue: sealed, updatedAt: now()).save(db)
            }
        }
    }

    /// The names alone, sorted.
    package func buildConfigNames(appID: AppID) async throws(MoorError) -> [String] {
        try await store.read { db in
            try String.fetchAll(db, sql: "SELECT key FROM buildConfig WHERE appID = ? ORDER BY key", arguments: [appID])
        }
    }

    /// What a build is given, opened.
    package func buildConfig(appID: AppID) async throws(MoorError) -> [String: String] {
        guard try await !buildConfigNames(appID: appID).isEmpty else { return [:] }
        let sealer = try await environment().sealer
        return try await store.read { db in try Self.currentBuildConfig(of: appID, sealer, db) }
    }

    private static func currentBuildConfig(of appID: AppID, _ sealer: ConfigSealer, _ db: Database) throws -> [String: String] {
        var config: [String: String] = [:]
        for row in try BuildConfigValueRecord.filter(Column("appID") == appID).fetchAll(db) {
            config[row.key] = try sealer.openBuildValue(row.sealedValue, key: row.key, app: appID)
        }
        return config
    }
}
