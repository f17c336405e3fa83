import GRDB
package import Models
import Store

extension ReleaseService {
    /// What a command of the app runs like: a process of the live release.
    /// - Parameters:
    ///   - process: nil for `web`, or the first where there is none.
    ///   - environment: what the command has beyond it.
    /// - Throws: `conflict` where the app has no release, `invalid` for an unknown process or what an app may not set.
    package func commandSet(appID: AppID, process: String?, environment own: [String: String]) async throws(MoorError) -> (
        app: AppName, set: ReplicaSet
    ) {
        try ConfigRules.validate(own)
        let found = try await store.read { db -> (AppName, ReleaseRows)? in
            guard let app = try AppRecord.fetchOne(db, key: appID), app.deletingAt == nil, let live = app.liveReleaseID else { return nil }
            return (app.name, try ReleaseRows.fetch(live, db))
        }
        guard let (app, rows) = found else {
            throw MoorError(.conflict, "the app has no release yet", hint: "push it first: a command runs in the image of the live release")
        }
        let formation = rows.release.processes
        let chosen = formation.first { process == nil ? $0.isWeb : $0.name == process } ?? (process == nil ? formation.first : nil)
        guard let chosen else {
            throw MoorError(
                .invalid, "\(app) has no process “\((process ?? "").prefix(60))”",
                hint: "it has \(formation.map(\.name).joined(separator: ", "))")
        }
        return (app, rows.replicaSet(chosen, count: 1, try await environment().variables(of: rows, app: app)))
    }

    /// - Throws: `invalid` for what an app may not set.
    package nonisolated func validateCommandEnvironment(_ environment: [String: String]) throws(MoorError) {
        try ConfigRules.validate(environment)
    }

    /// Runs the `release` process as any command is run, its lines going to the log.
    nonisolated func runReleaseCommand(_ set: ReplicaSet, _ change: Change, on orchestrator: any Orchestrator) async throws(MoorError) {
        let end = try await orchestrator.run(
            CommandOrder(limit: configuration.releaseCommandLimit), like: set, appID: change.appID, app: change.app, log: change.log)
        guard end.exitCode == 0 else {
            throw MoorError(
                .appFailed, "the \(set.process.name) command \(end.reason ?? "exited with code \(end.exitCode)")",
                hint: "its output is above; it runs before each rollout and must succeed")
        }
    }
}
