import GRDB
import Logging
import Models
import Store

/// What a release is made of, before it has a number.
struct ReleaseDraft: Sendable {
    enum Config: Sendable {
        /// What `config` has at that moment.
        case current
        case given([String: String])
    }

    var imageID: ImageID
    var formation: Formation
    var config: Config
    var cause: ReleaseRecord.Cause
    var description: String
    var userID: UserID?
    var pushID: PushID?
    /// Resources by process in place of what the formation says; nil: as the live release has them.
    var wishes: [String: ResourceWish]?
    /// Of a hundred viewers that it should get beside the live release; nil: all.
    var canaryPercent: Int?
}

extension ReleaseService {
    /// Writes the release's row, state `rolling`, with the next number of the app. The caller holds the app's lock.
    func createRelease(_ draft: ReleaseDraft, appID: AppID) async throws(MoorError) -> ReleaseRecord {
        let sealer = try await environment().sealer
        let release = try await store.write { db in
            guard try ImageRecord.filter(key: draft.imageID).fetchOne(db)?.removedAt == .some(nil) else {
                throw MoorError(.conflict, "the image is no longer kept", hint: "push again to build it anew")
            }
            if let canary = try CanaryRecord.fetchOne(db, key: appID) { throw try Self.canaryStands(canary, db) }
            if draft.canaryPercent != nil, try AppRecord.fetchOne(db, key: appID)?.liveReleaseID == nil { throw Self.nothingToCompare }
            // Only what a failed write left behind: whoever rolls out holds the lock that we hold.
            try Self.failRolling(of: appID, "the rollout was broken off", db)
            let wishes = try draft.wishes ?? Self.wishes(of: appID, db)
            let formation = try Self.withinCeilings(draft.formation, wishes: wishes, of: appID, db)
            let last = try Int.fetchOne(db, sql: "SELECT max(number) FROM releases WHERE appID = ?", arguments: [appID]) ?? 0
            let config =
                switch draft.config {
                case .current: try Self.currentConfig(of: appID, sealer, db)
                case .given(let config): config
                }
            var release = ReleaseRecord(
                appID: appID, number: last + 1, imageID: draft.imageID,
                sealedConfig: try sealer.sealSnapshot(config, app: appID, number: last + 1), formation: formation,
                cause: draft.cause, description: draft.description, userID: draft.userID, pushID: draft.pushID, state: .rolling,
                createdAt: now(), wishes: wishes.isEmpty ? nil : wishes)
            try release.insert(db)
            if let percent = draft.canaryPercent, let id = release.id {
                try CanaryRecord(appID: appID, releaseID: id, percent: percent, startedAt: nil).insert(db)
            }
            return release
        }
        logger.info(
            "release made", metadata: ["app": "\(appID)", "release": "v\(release.number)", "cause": "\(release.cause.rawValue)"])
        return release
    }

    /// In one transaction: the release live, the one before superseded, and the app's config what the release has.
    func commit(_ release: ReleaseRecord) async throws(MoorError) {
        let sealer = try await environment().sealer
        let id = release.id
        try await store.write { db in
            guard let app = try AppRecord.filter(key: release.appID).fetchOne(db), app.deletingAt == nil else {
                throw MoorError(.conflict, "the app is being deleted")
            }
            try db.execute(
                sql: "UPDATE releases SET state = 'superseded' WHERE appID = ? AND state = 'live'", arguments: [release.appID])
            try db.execute(
                sql: "UPDATE releases SET state = 'live', liveAt = ? WHERE id = ? AND state = 'rolling'", arguments: [now(), id])
            guard db.changesCount == 1 else { throw MoorError(.conflict, "v\(release.number) is no longer being rolled out") }
            try db.execute(sql: "UPDATE apps SET liveReleaseID = ? WHERE id = ?", arguments: [id, release.appID])
            try db.execute(sql: "DELETE FROM canaries WHERE appID = ?", arguments: [release.appID])
            // A push took the config as it was; the others bring their own, which counts from now on and not before.
            guard release.cause != .push else { return }
            let config = try sealer.openSnapshot(release.sealedConfig, app: release.appID, number: release.number)
            try Self.replaceConfig(of: release.appID, with: config, sealer, db)
        }
    }

    /// - Parameter reason: for people; holds no secret.
    func markFailed(_ release: ReleaseRecord, _ reason: String) async {
        let id = release.id
        do throws(MoorError) {
            try await store.write { db in
                try db.execute(
                    sql: "UPDATE releases SET state = 'failed', failure = ? WHERE id = ? AND state = 'rolling'", arguments: [reason, id])
                try db.execute(sql: "DELETE FROM canaries WHERE releaseID = ?", arguments: [id])
            }
        } catch {
            // The row is put right by the next release of the app or the next start.
            logger.error(
                "a failed release was not recorded",
                metadata: ["app": "\(release.appID)", "release": "v\(release.number)", "error": "\(error.message)"])
        }
    }

    static func failRolling(of appID: AppID, _ reason: String, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE releases SET state = 'failed', failure = ? WHERE appID = ? AND state = 'rolling'", arguments: [reason, appID])
    }

    static func currentConfig(of appID: AppID, _ sealer: ConfigSealer, _ db: Database) throws -> [String: String] {
        var config: [String: String] = [:]
        for row in try ConfigValueRecord.filter(Column("appID") == appID).fetchAll(db) {
            config[row.key] = try sealer.openValue(row.sealedValue, key: row.key, app: appID)
        }
        return config
    }

    /// Touches only the rows that differ, so that `updatedAt` tells when a value changed.
    static func replaceConfig(of appID: AppID, with config: [String: String], _ sealer: ConfigSealer, _ db: Database) throws {
        let current = try currentConfig(of: appID, sealer, db)
        for key in current.keys where config[key] == nil {
            try db.execute(sql: "DELETE FROM config WHERE appID = ? AND key = ?", arguments: [appID, key])
        }
        for (key, value) in config where current[key] != value {
            let sealed = try sealer.sealValue(value, key: key, app: appID)
            try ConfigValueRecord(appID: appID, key: key, sealedValue: sealed, updatedAt: now()).save(db)
        }
    }
}
