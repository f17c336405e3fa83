package import Models
package import Store

extension RouteSnapshot.Route {
    /// The route of an app: the ready web replicas of its live release, without those that a scale-down or a wave is about to
    /// stop; with those of a release that takes its place replica by replica; beside those of a canary.
    ///
    /// - Parameters:
    ///   - live: the release that `apps.liveReleaseID` names; nil where there is none.
    ///   - canary: the app's row, where its canary has started.
    ///   - scales: the app's rows of `scales`.
    ///   - replicas: of this app or of all.
    package static func serving(
        app: AppRecord, live: ReleaseRecord?, canary: CanaryRecord? = nil, scales: [ScaleRecord], replicas: [ReplicaStatus],
        beside serving: Serving = Serving()
    ) -> RouteSnapshot.Route? {
        guard let appID = app.id, app.deletingAt == nil else { return nil }
        guard let live, let liveID = live.id, let web = live.formation.first(where: \.isWeb) else {
            return Self(
                appID: appID, app: app.name, endpoints: [],
                emptyReason: live == nil ? "no release yet" : "v\(live?.number ?? 0) has no web process")
        }
        let count = scales.first { $0.appID == appID && $0.process == web.name }?.replicas ?? web.replicas
        let all = replicas.filter { $0.process == web.name }.sorted {
            ($0.releaseID.rawValue, $0.ordinal) < ($1.releaseID.rawValue, $1.ordinal)
        }
        func ready(_ release: ReleaseID, upTo count: Int = .max) -> [Endpoint] {
            let out = serving.out[release] ?? []
            return all.filter { $0.releaseID == release && $0.ordinal <= count && $0.state == .ready && !out.contains($0.ordinal) }
                .compactMap(\.endpoint)
        }
        var route = Self(appID: appID, app: app.name, endpoints: ready(liveID, upTo: count), isSticky: web.sticky)
        if let rolling = serving.rolling {
            route.endpoints += ready(rolling)
            // A page whose parts came from two releases would be broken.
            route.isSticky = true
        }
        if let canary, canary.appID == appID {
            let endpoints = ready(canary.releaseID, upTo: canary.replicas(of: count))
            if !endpoints.isEmpty {
                route.canary = .init(releaseID: canary.releaseID, endpoints: endpoints, percent: canary.percent, liveID: liveID)
            }
        }
        if route.endpoints.isEmpty {
            let mine = all.filter { $0.releaseID == liveID && $0.ordinal <= count }
            route.emptyReason = emptyReason(number: live.number, count: count, replicas: mine)
        }
        return route
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
