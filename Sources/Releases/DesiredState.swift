import GRDB
import Models
import Store

/// A release with what is needed to run it, as the rows have it.
struct ReleaseRows: Sendable {
    var release: ReleaseRecord
    var releaseID: ReleaseID
    var image: ImageRecord
    /// Hex id of the commit that the image was built from.
    var commitID: String

    static func fetch(_ id: ReleaseID, _ db: Database) throws -> ReleaseRows {
        guard let release = try ReleaseRecord.filter(key: id).fetchOne(db),
            let image = try ImageRecord.filter(key: release.imageID).fetchOne(db),
            let commit = try String.fetchOne(
                db, sql: "SELECT afterCommit FROM pushes JOIN builds ON builds.pushID = pushes.id WHERE builds.id = ?",
                arguments: [image.buildID])
        else { throw MoorError(.internalError, "release \(id) is gone", hint: "the platform's log has the cause") }
        return ReleaseRows(release: release, releaseID: id, image: image, commitID: commit)
    }
}

/// What the rows, and the change that is under way, want to run of one app.
struct DesiredState: Sendable {
    var app: AppName
    var appID: AppID
    var live: ReleaseRows?
    /// Coming up beside the live one.
    var rolling: ReleaseRows?
    /// Gets some of the viewers: only its web process runs, in a part of the replicas.
    var canary: (rows: ReleaseRows, record: CanaryRecord)?
    /// Finishing their requests: only their web processes still run.
    var draining: [ReleaseRows] = []
    /// Replicas by process, as people asked for; processes without an entry have what their formation says.
    var scales: [String: Int]
    /// Of a release whose replicas come or go one after the other, those that are wanted; another's are wanted all.
    var wanted: [ReleaseID: Set<Readiness.Expected>] = [:]
}

extension Workload {
    /// The workload of the app, from rows alone: the same rows give an equal workload.
    static func desired(_ state: DesiredState, environment: ProcessEnvironment) throws(MoorError) -> Workload {
        var sets: [ReplicaSet] = []
        for rows in state.draining {
            sets += try rows.replicaSets(of: state, environment: environment).filter { $0.process.isWeb }
        }
        for rows in [state.live, state.rolling].compactMap(\.self) {
            sets += try rows.replicaSets(of: state, environment: environment)
        }
        if let (rows, record) = state.canary {
            sets += try rows.replicaSets(of: state, environment: environment, canary: record)
        }
        return Workload(appID: state.appID, app: state.app, sets: sets)
    }
}

extension ReleaseRows {
    /// One set per process that keeps running; none for a process scaled to zero.
    /// - Parameter canary: of a release that gets some of the viewers only.
    func replicaSets(
        of state: DesiredState, environment: ProcessEnvironment, canary: CanaryRecord? = nil
    ) throws(MoorError) -> [ReplicaSet] {
        let variables = try environment.variables(of: self, app: state.app)
        return release.processes.filter { !$0.isReleaseCommand && (canary == nil || $0.isWeb) }.compactMap { process in
            var count = state.scales[process.name] ?? process.replicas
            if let canary { count = canary.replicas(of: count) }
            guard count > 0 else { return nil }
            var set = replicaSet(process, count: count, variables)
            if let wanted = state.wanted[releaseID] {
                set.without = Set(1...count).subtracting(wanted.lazy.filter { $0.process == process.name }.map(\.ordinal))
            }
            return set.without.count < count ? set : nil
        }
    }

    /// The process that runs once before the rollout; nil where the app has none.
    func releaseCommand(app: AppName, environment: ProcessEnvironment) throws(MoorError) -> ReplicaSet? {
        guard let process = release.processes.first(where: \.isReleaseCommand) else { return nil }
        return replicaSet(process, count: 1, try environment.variables(of: self, app: app))
    }

    func replicaSet(_ process: ProcessSpec, count: Int, _ variables: [String: String]) -> ReplicaSet {
        ReplicaSet(
            releaseID: releaseID, releaseNumber: release.number, process: process, count: count, image: image.reference,
            environment: variables)
    }
}

extension ProcessEnvironment {
    func variables(of rows: ReleaseRows, app: AppName) throws(MoorError) -> [String: String] {
        let release = rows.release
        let config = try sealer.openSnapshot(release.sealedConfig, app: release.appID, number: release.number)
        return variables(app: app, appID: release.appID, number: release.number, commitID: rows.commitID, config: config)
    }
}
