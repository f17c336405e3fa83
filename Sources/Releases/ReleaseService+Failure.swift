import Models

extension ReleaseService {
    /// Why replicas did not come up, with the last lines of the one to blame; to be asked before they are removed.
    func explain(
        _ failure: Readiness.Failure, of release: String, releaseID: ReleaseID, appID: AppID, hint: String
    ) async -> MoorError {
        switch failure {
        case .replica(let id, let replica, let reason):
            return MoorError(
                .appFailed, "\(replica.name) of \(release) did not come up: \(reason)", hint: hint.isEmpty ? nil : hint,
                detail: await lastLines(of: id, named: replica.name))
        case .noRoom(let replica, let reason):
            return MoorError(
                .unavailable, "there was no room for \(replica.name) of \(release): it \(reason)",
                hint: [hint, "ask for less (moor.yaml, moor resources), or have something else take less"].filter { !$0.isEmpty }.joined(
                    separator: "; "))
        case .late(let late, let after):
            let names = late.prefix(5).map(\.name).joined(separator: ", ") + (late.count > 5 ? " and \(late.count - 5) more" : "")
            var detail: [String] = []
            let replicas = await orchestrator.replicas(of: appID)
            if let first = late.first,
                let id = replicas.first(where: {
                    $0.releaseID == releaseID && $0.process == first.process && $0.ordinal == first.ordinal
                })?.replicaID
            {
                detail = await lastLines(of: id, named: first.name)
            }
            return MoorError(
                .appFailed, "\(names) of \(release) \(late.count == 1 ? "was" : "were") not ready after \(after.inSeconds)",
                hint: hint.isEmpty ? nil : hint, detail: detail)
        }
    }

    private func lastLines(of id: ReplicaID, named name: String) async -> [String] {
        let lines = await orchestrator.lastLines(of: id, count: 50)
        return lines.isEmpty ? ["\(name) wrote nothing"] : ["the last lines of \(name):"] + lines
    }
}

extension Duration {
    /// "0.9 s", as people read a time.
    var inSeconds: String {
        let tenths = (self / .milliseconds(100)).rounded()
        return "\(tenths / 10) s"
    }
}
