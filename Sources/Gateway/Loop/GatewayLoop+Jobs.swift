import Models
import NIOCore

/// What an event loop cannot answer by itself, on its way to the service's task group and back.
enum GatewayJob: Sendable {
    case decision(DecisionJob)
    case keys(NIOLoopBound<GatewayLoop>, any EventLoop)

    /// Runs on a task of the service.
    func run(_ authority: any ViewerAuthority, _ jwks: @Sendable () async -> String) async {
        switch self {
        case .decision(let job): await job.run(authority)
        case .keys(let loop, let eventLoop):
            let keys = ByteBuffer(string: await jwks())
            eventLoop.execute { loop.value.received(keys: keys) }
        }
    }
}

extension GatewayLoop {
    /// Calls `body` with the key set, asked for again after five seconds so that a rotated key is known soon. Nil where too
    /// many questions wait.
    func withKeys(_ body: @escaping (ByteBuffer?) -> Void) {
        if let keys, keysExpire > .now() { return body(keys) }
        keysWaiters.append(body)
        guard keysWaiters.count == 1 else { return }
        if !jobs(.keys(NIOLoopBound(self, eventLoop: eventLoop), eventLoop)) { received(keys: nil) }
    }

    fileprivate func received(keys fresh: ByteBuffer?) {
        if let fresh {
            keys = fresh
            keysExpire = .now() + .seconds(5)
        }
        let waiters = keysWaiters
        keysWaiters.removeAll()
        for waiter in waiters { waiter(fresh) }
    }
}
