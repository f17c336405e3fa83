import Models
import NIOCore

/// A route as one event loop uses it: its replicas are looked up once per snapshot, not once per request.
final class LoopRoute {
    let route: RouteSnapshot.Route
    let pools: [UpstreamPool]
    private var turn = 0

    init(route: RouteSnapshot.Route, pools: [UpstreamPool]) {
        self.route = route
        self.pools = pools
    }

    /// The replica with the fewest requests of this loop; among equals, the next in turn.
    /// - Parameter failed: one that just refused, taken again only where there is no other.
    func choose(now: NIODeadline, except failed: UpstreamPool?) -> UpstreamPool? {
        guard pools.count > 1 else { return pools.first }
        turn = turn &+ 1
        var best: UpstreamPool?
        var bestLoad = Int.max
        for offset in 0..<pools.count {
            let pool = pools[(turn % pools.count + offset) % pools.count]
            var load = pool.inFlight
            if pool.avoidUntil > now { load += 1 << 20 }
            if pool === failed { load += 1 << 21 }
            if load < bestLoad {
                best = pool
                bestLoad = load
            }
        }
        return best
    }
}

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
        routes = snapshot.routes.mapValues { route in LoopRoute(route: route, pools: route.endpoints.map(pool(for:))) }
        for (endpoint, known) in pools where used[endpoint] == nil {
            known.retire()
            if known.inFlight > 0 { used[endpoint] = known }
        }
        for pool in routes.values.flatMap(\.pools) { pool.reinstate() }
        pools = used
        if snapshot.viewerEpoch != viewerEpoch { enterViewerEpoch(snapshot.viewerEpoch) }
    }
}
