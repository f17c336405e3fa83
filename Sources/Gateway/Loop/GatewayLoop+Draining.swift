import Models
import NIOCore

/// Someone who waits for endpoints to have no request.
final class DrainWaiter {
    let endpoints: Set<Endpoint>
    let webSockets: Bool
    let promise: EventLoopPromise<Int>
    var timer: Scheduled<Void>?

    init(endpoints: Set<Endpoint>, webSockets: Bool, promise: EventLoopPromise<Int>) {
        self.endpoints = endpoints
        self.webSockets = webSockets
        self.promise = promise
    }
}

extension GatewayLoop {
    /// - Parameter webSockets: whether they count as well.
    /// - Returns: how many requests were still open to the endpoints at the deadline.
    func drain(_ endpoints: Set<Endpoint>, deadline: TimeAmount, webSockets: Bool) -> EventLoopFuture<Int> {
        let open = countOpen(endpoints, webSockets: webSockets)
        guard open > 0, deadline > .zero else { return eventLoop.makeSucceededFuture(open) }
        let waiter = DrainWaiter(endpoints: endpoints, webSockets: webSockets, promise: eventLoop.makePromise(of: Int.self))
        drainWaiters.append(waiter)
        waiter.timer = eventLoop.assumeIsolated().scheduleTask(in: deadline) { self.finish(waiter) }
        return waiter.promise.futureResult
    }

    func cutWebSockets(_ endpoints: Set<Endpoint>) {
        for client in clients where client.phase == .tunnel {
            if let endpoint = client.exchange.pool?.endpoint, endpoints.contains(endpoint) { client.goAway() }
        }
    }

    /// Called by a pool that has no request any more, or nothing but WebSockets.
    func poolIsQuiet(_ pool: UpstreamPool) {
        guard let endpoint = pool.endpoint else { return }
        if pool.inFlight == 0, pool.isRetired, pools[endpoint] === pool { pools[endpoint] = nil }
        for waiter in drainWaiters
        where waiter.endpoints.contains(endpoint) && countOpen(waiter.endpoints, webSockets: waiter.webSockets) == 0 { finish(waiter) }
    }

    private func finish(_ waiter: DrainWaiter) {
        guard let index = drainWaiters.firstIndex(where: { $0 === waiter }) else { return }
        drainWaiters.remove(at: index)
        waiter.timer?.cancel()
        waiter.promise.succeed(countOpen(waiter.endpoints, webSockets: waiter.webSockets))
    }

    private func countOpen(_ endpoints: Set<Endpoint>, webSockets: Bool) -> Int {
        endpoints.reduce(0) { open, endpoint in
            guard let pool = pools[endpoint] else { return open }
            return open + pool.inFlight - (webSockets ? 0 : pool.webSockets)
        }
    }

    /// Closes what is idle, lets what is in flight finish until `deadline`, then closes that too.
    func stop(deadline: TimeAmount) -> EventLoopFuture<Void> {
        isStopping = true
        let promise = eventLoop.makePromise(of: Void.self)
        stopWaiter = promise
        for client in clients { client.stop() }
        let timer = eventLoop.assumeIsolated().scheduleTask(in: deadline) {
            for client in self.clients { client.goAway() }
        }
        // A browser that takes no farewell keeps nobody.
        let last = eventLoop.assumeIsolated().scheduleTask(in: deadline + .seconds(2)) {
            for client in self.clients { client.close() }
        }
        if clients.isEmpty { promise.succeed(()) }
        promise.futureResult.assumeIsolated().whenComplete { _ in
            timer.cancel()
            last.cancel()
            self.stopWaiter = nil
            self.control.retire()
            for pool in self.pools.values { pool.retire() }
        }
        return promise.futureResult
    }
}
