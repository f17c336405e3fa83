import Models
import NIOCore

extension ClientConnection {
    /// Gives the request to a replica (or the control plane) and sends it, on an idle connection where one is left.
    /// - Parameter failed: who just refused or cut it.
    func chooseUpstream(except failed: UpstreamPool?, fresh: Bool = false) {
        let pool: UpstreamPool
        if exchange.toApp {
            // Another attempt looks at the routes again: a rollout may have replaced the replica that failed.
            if exchange.attempt > 0 { exchange.route = loop.routes[exchange.host] }
            guard let route = exchange.route else { return replyNoSuchApp() }
            guard let chosen = route.choose(now: loop.now, viewer: exchange.affinity, except: failed) else { return replyNoReplica() }
            pool = chosen
            if let tally = route.tally(of: chosen), tally !== exchange.tally {
                tally.requests += 1
                exchange.tally = tally
                exchange.askedAt = .now()
            }
        } else {
            pool = loop.control
        }
        exchange.pool = pool
        pool.begin()
        loop.counters.inFlight += 1
        exchange.attempt += 1
        // A request that must not be sent twice takes only a connection that was in use a moment ago.
        let oldest = request.isIdempotent ? NIODeadline.uptimeNanoseconds(0) : loop.now - .milliseconds(750)
        // Some servers, our control plane among them, switch protocols only on a connection's first request.
        if !fresh, !request.isUpgrade, let idle = pool.takeIdle(notBefore: oldest) {
            exchange.isReused = true
            send(on: idle)
        } else {
            exchange.isReused = false
            phase = .connecting
            connect(to: pool)
        }
    }

    private func connect(to pool: UpstreamPool) {
        let attempt = exchange.attempt
        loop.connect(pool).assumeIsolated().whenComplete { result in
            let isCurrent = self.phase == .connecting && self.exchange.attempt == attempt && self.exchange.pool === pool
            switch result {
            case .success(let connection) where isCurrent && connection.phase != .closed: self.send(on: connection)
            case .success where isCurrent: self.connectionRefused(by: pool)
            case .success(let connection): connection.close()
            case .failure where isCurrent: self.connectionRefused(by: pool)
            case .failure: break
            }
        }
    }

    private func connectionRefused(by pool: UpstreamPool) {
        pool.avoidUntil = loop.now + .seconds(1)
        loop.counters.upstreamErrors += 1
        exchange.tally?.errors += 1
        exchange.tally = nil
        leavePool()
        if exchange.attempt < 3, exchange.toApp {
            loop.counters.retries += 1
            chooseUpstream(except: pool)
        } else {
            replyUpstreamFailed(.init(status: 502, reason: "\(pool.name) does not accept connections"))
        }
    }

    private func send(on connection: UpstreamConnection) {
        phase = .relaying
        upstream = connection
        connection.begin(for: self)
        if exchange.isReplayable, !exchange.requestDone { appendBodyStart() }
        guard phase == .relaying else { return }
        connection.write(requestOut)
        waitForAnswer()
        if !exchange.requestDone, inbound.readableBytes > 0 { relayBody() }
        connection.flush()
        resumeReading()
    }

    func waitForAnswer() {
        if !exchange.requestDone {
            wait(.upload, loop.configuration.stallTimeout)
        } else if exchange.toApp {
            wait(.answer, loop.configuration.responseHeadTimeout)
        } else {
            waitForNothing()
        }
    }

    /// The upstream's connection ended before anything of the answer came.
    func upstreamCut() {
        guard phase == .relaying else { return }
        let pool = exchange.pool
        let wasReused = exchange.isReused
        upstream = nil
        leavePool()
        // Closed between two requests, most likely: nothing of this one was handled.
        if wasReused, exchange.isReplayable, request.isIdempotent, exchange.attempt < 3 {
            loop.counters.retries += 1
            chooseUpstream(except: nil, fresh: true)
        } else {
            loop.counters.upstreamErrors += 1
            replyUpstreamFailed(.init(status: 502, reason: "\(pool?.name ?? "the upstream") closed the connection without an answer"))
        }
    }

    /// The upstream's answer is no HTTP, or broke off.
    func upstreamBroke(_ reason: String) {
        let pool = exchange.pool
        let began = exchange.answerBegan
        upstream = nil
        leavePool()
        loop.counters.upstreamErrors += 1
        if began {
            exchange.tally?.errors += 1
            return close()
        }
        replyUpstreamFailed(.init(status: 502, reason: "\(pool?.name ?? "the upstream") \(reason)"))
    }

    /// Ends the request's count at its pool.
    func leavePool() {
        guard let pool = exchange.pool else { return }
        exchange.pool = nil
        loop.counters.inFlight -= 1
        pool.end(webSocket: exchange.isWebSocket)
    }

    /// Takes the request back from the upstream: its connection cannot serve another one then.
    func abandonUpstream() {
        let connection = upstream
        upstream = nil
        connection?.abandon()
        leavePool()
    }
}

extension GatewayLoop {
    /// Opens a connection on this loop, so that nothing of a request ever changes threads.
    func connect(_ pool: UpstreamPool) -> EventLoopFuture<UpstreamConnection> {
        guard let address = pool.address else {
            return eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
        }
        counters.upstreamConnections += 1
        startTicking()
        let connection = UpstreamConnection(loop: self, pool: pool)
        return connection.connect(to: address)
    }
}
