import Models
import NIOCore

/// A route as one event loop uses it: its replicas are looked up once per snapshot, not once per request.
final class LoopRoute {
    let route: RouteSnapshot.Route
    let pools: [UpstreamPool]
    let canaryPools: [UpstreamPool]
    /// What both releases answer, where there is a canary.
    let comparison: Comparison?
    private var turn = 0

    init(route: RouteSnapshot.Route, pools: [UpstreamPool], canaryPools: [UpstreamPool] = [], comparison: Comparison? = nil) {
        self.route = route
        self.pools = pools
        self.canaryPools = canaryPools
        self.comparison = comparison
    }

    /// Whether `choose` asks who the viewer is.
    var knowsViewers: Bool { route.isSticky || route.canary != nil }

    /// The viewer's replica where viewers stay with theirs, else the one with the fewest requests of this loop; among equals,
    /// the next in turn.
    /// - Parameters:
    ///   - viewer: as `Affinity` has it.
    ///   - failed: one that just refused, taken again only where there is no other.
    func choose(now: NIODeadline, viewer: UInt64, except failed: UpstreamPool?) -> UpstreamPool? {
        guard let canary = route.canary else { return choose(pools, now: now, viewer: viewer, except: failed) }
        let isTrying = Affinity.percentile(viewer, salt: canary.releaseID.rawValue) < canary.percent
        let (side, other) = isTrying ? (canaryPools, pools) : (pools, canaryPools)
        let chosen = choose(side, now: now, viewer: viewer, except: failed)
        // Better the other release than an error.
        if let chosen, chosen !== failed, chosen.avoidUntil <= now { return chosen }
        return choose(other, now: now, viewer: viewer, except: failed) ?? chosen
    }

    func tally(of pool: UpstreamPool) -> ReleaseTally? {
        guard let comparison else { return nil }
        return canaryPools.contains { $0 === pool } ? comparison.canary : comparison.live
    }

    private func choose(_ pools: [UpstreamPool], now: NIODeadline, viewer: UInt64, except failed: UpstreamPool?) -> UpstreamPool? {
        guard pools.count > 1 else { return pools.first }
        return route.isSticky
            ? stay(pools, now: now, viewer: viewer, except: failed) : balance(pools, now: now, except: failed)
    }

    /// Rendezvous hashing: a replica that goes moves only its own viewers.
    private func stay(_ pools: [UpstreamPool], now: NIODeadline, viewer: UInt64, except failed: UpstreamPool?) -> UpstreamPool? {
        var best: UpstreamPool?
        var bestScore: (Int, UInt64) = (-1, 0)
        for pool in pools {
            let score = (pool === failed ? 0 : pool.avoidUntil > now ? 1 : 2, Affinity.mix(viewer ^ pool.identity))
            if score > bestScore {
                best = pool
                bestScore = score
            }
        }
        return best
    }

    private func balance(_ pools: [UpstreamPool], now: NIODeadline, except failed: UpstreamPool?) -> UpstreamPool? {
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
