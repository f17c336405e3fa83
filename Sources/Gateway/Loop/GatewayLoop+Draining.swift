import Models
import NIOCore

/// Someone who waits for endpoints to have no request.
final class DrainWaiter {
    let endpoints: Set<Endpoint>
    let promise: EventLoopPromise<Int>
    var timer: Scheduled<Void>?

    init(endpoints: Set<Endpoint>, promise: EventLoopPromise<Int>) {
        self.endpoints = endpoints
        self.promise = promise
    }
}

extension GatewayLoop {
    /// - Returns: how many requests and WebSockets were still open to the endpoints at the deadline.
    func drain(_ endpoints: Set<Endpoint>, deadline: TimeAmount) -> EventLoopFuture<Int> {
        let open = countOpen(endpoints)
        guard open > 0, deadline > .zero else { return eventLoop.makeSucceededFuture(open) }
        let waiter = DrainWaiter(endpoints: endpoints, promise: eventLoop.makePromise(of: Int.self))
        drainWaiters.append(waiter)
        waiter.timer = eventLoop.assumeIsolated().scheduleTask(in: deadline) { self.finish(waiter) }
        return waiter.promise.futureResult
    }

    /// Called by a pool whose last request ended.
    func poolIsQuiet(_ pool: UpstreamPool) {
        guard let endpoint = pool.endpoint else { return }
        if pool.isRetired, pools[endpoint] === pool { pools[endpoint] = nil }
        for waiter in drainWaiters where waiter.endpoints.contains(endpoint) && countOpen(waiter.endpoints) == 0 { finish(waiter) }
    }

    private func finish(_ waiter: DrainWaiter) {
        guard let index = drainWaiters.firstIndex(where: { $0 === waiter }) else { return }
        drainWaiters.remove(at: index)
        waiter.timer?.cancel()
        waiter.promise.succeed(countOpen(waiter.endpoints))
    }

    private func countOpen(_ endpoints: Set<Endpoint>) -> Int {
        endpoints.reduce(0) { $0 + (pools[$1]?.inFlight ?? 0) }
    }

    /// Closes what is idle, lets what is in flight finish until `deadline`, then closes that too.
    func stop(deadline: TimeAmount) -> EventLoopFuture<Void> {
        isStopping = true
        let promise = eventLoop.makePromise(of: Void.self)
        stopWaiter = promise
        for client in clients { client.stop() }
        let timer = eventLoop.assumeIsolated().scheduleTask(in: deadline) {
            for client in self.clients { client.close() }
        }
        if clients.isEmpty { promise.succeed(()) }
        promise.futureResult.assumeIsolated().whenComplete { _ in
            timer.cancel()
            self.stopWaiter = nil
            self.control.retire()
            for pool in self.pools.values { pool.retire() }
        }
        return promise.futureResult
    }
}
