package import Models
package import Store

extension RouteSnapshot.Route {
    /// The route of an app: the ready web replicas of its live release, without those that a scale-down is about to stop.
    ///
    /// - Parameters:
    ///   - live: the release that `apps.liveReleaseID` names; nil where there is none.
    ///   - scales: the app's rows of `scales`.
    ///   - replicas: of this app or of all.
    package static func serving(
        app: AppRecord, live: ReleaseRecord?, scales: [ScaleRecord], replicas: [ReplicaStatus]
    ) -> RouteSnapshot.Route? {
        guard let appID = app.id, app.deletingAt == nil else { return nil }
        guard let live, let web = live.formation.first(where: \.isWeb) else {
            return Self(
                appID: appID, app: app.name, endpoints: [],
                emptyReason: live == nil ? "no release yet" : "v\(live?.number ?? 0) has no web process")
        }
        let count = scales.first { $0.appID == appID && $0.process == web.name }?.replicas ?? web.replicas
        let mine = replicas.filter { $0.releaseID == live.id && $0.process == web.name && $0.ordinal <= count }
        let ready = mine.filter { $0.state == .ready }.sorted { $0.ordinal < $1.ordinal }.compactMap(\.endpoint)
        guard ready.isEmpty else { return Self(appID: appID, app: app.name, endpoints: ready) }
        return Self(
            appID: appID, app: app.name, endpoints: [], emptyReason: emptyReason(number: live.number, count: count, replicas: mine))
    }

    private static func emptyReason(number: Int, count: Int, replicas: [ReplicaStatus]) -> String {
        if count == 0 { return "web is scaled to 0" }
        let words = Set(replicas.map(\.state.word))
        for replica in replicas.sorted(by: { $0.ordinal < $1.ordinal }) {
            switch replica.state {
            case .backingOff(_, let reason, _), .crashLooping(_, let reason, _), .unhealthy(let reason):
                return "no replica of v\(number) is ready; \(replica.name) is \(replica.state.word): \(reason)"
            case .pending(let reason): return "no replica of v\(number) is ready; \(replica.name) is pending: it \(reason)"
            case .starting, .ready, .stopping: continue
            }
        }
        return words.isEmpty
            ? "no replica of v\(number) runs yet" : "the replicas of v\(number) are \(words.sorted().joined(separator: ", "))"
    }
}
