import NIOCore

extension GatewayLoop {
    /// One timer per loop looks after all deadlines, since arming one per request costs more than the request's other work.
    /// It rests while there is nothing to look after.
    func startTicking() {
        guard !isTicking else { return }
        isTicking = true
        now = .now()
        scheduleTick()
    }

    private func scheduleTick() {
        eventLoop.assumeIsolated().scheduleTask(in: configuration.tick) { self.tick() }
    }

    private func tick() {
        now = .now()
        // Backwards: a connection that leaves is replaced by the last one, which was looked at before.
        var index = clients.count - 1
        while index >= 0 {
            if index < clients.count { clients[index].lookAtClock() }
            index -= 1
        }
        let oldest = now - configuration.upstreamIdle
        control.closeIdle(before: oldest)
        var hasIdle = control.hasIdle
        for pool in pools.values {
            pool.closeIdle(before: oldest)
            hasIdle = hasIdle || pool.hasIdle
        }
        if clients.isEmpty, !hasIdle { isTicking = false } else { scheduleTick() }
    }
}
