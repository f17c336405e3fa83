import Models
import NIOCore

extension GatewayLoop {
    /// Uses the snapshot for every request that begins from now on, and for those that wait for their viewer.
    func adopt(_ snapshot: RouteSnapshot) {
        var used: [Endpoint: UpstreamPool] = [:]
        func pool(for endpoint: Endpoint) -> UpstreamPool {
            if let known = used[endpoint] ?? pools[endpoint] {
                used[endpoint] = known
                return known
            }
            let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port)
            let fresh = UpstreamPool(endpoint: endpoint, address: address, loop: self)
            used[endpoint] = fresh
            return fresh
        }
        var current: [AppID: Comparison] = [:]
        routes = snapshot.routes.mapValues { route in
            guard let canary = route.canary else { return LoopRoute(route: route, pools: route.endpoints.map(pool(for:))) }
            var comparison = current[route.appID] ?? comparisons[route.appID]
            if comparison?.canaryID != canary.releaseID || comparison?.liveID != canary.liveID {
                comparison = Comparison(canaryID: canary.releaseID, liveID: canary.liveID)
            }
            current[route.appID] = comparison
            return LoopRoute(
                route: route, pools: route.endpoints.map(pool(for:)), canaryPools: canary.endpoints.map(pool(for:)), comparison: comparison)
        }
        // A canary none of whose replicas is ready for a moment has no route, but keeps its numbers while the app is routed.
        let apps = Set(snapshot.routes.values.map(\.appID))
        comparisons = comparisons.filter { apps.contains($0.key) }.merging(current) { $1 }
        for (endpoint, known) in pools where used[endpoint] == nil {
            known.retire()
            if known.inFlight > 0 { used[endpoint] = known }
        }
        for pool in routes.values.flatMap({ $0.pools + $0.canaryPools }) { pool.reinstate() }
        pools = used
        if snapshot.viewerEpoch != viewerEpoch { enterViewerEpoch(snapshot.viewerEpoch) }
    }
}
