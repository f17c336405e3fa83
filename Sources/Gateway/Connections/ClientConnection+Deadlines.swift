import NIOCore

extension ClientConnection {
    /// Called by the loop's timer.
    func lookAtClock() {
        if let stalledSince, loop.now - stalledSince > TimeAmount(loop.configuration.stallTimeout) { return close() }
        guard deadline <= loop.now else { return }
        switch waiting {
        case .nothing: break
        case .nextRequest, .goodbye: close()
        case .head:
            exchange = Exchange()
            request = RequestHead()
            reply(.timeout, keepsAlive: false)
        case .decision: replyUnavailable(.init(status: 503, reason: "nobody could tell in time who you are"))
        case .upload:
            // Who holds the upload up: the client, or an upstream that does not read? The control plane may take its time.
            if upstream?.isWritable ?? true {
                reply(.timeout, keepsAlive: false)
            } else if exchange.toApp {
                replyLate()
            } else {
                waitForAnswer()
            }
        case .answer: replyLate()
        }
    }

    private func replyLate() {
        let name = exchange.pool?.name ?? "the upstream"
        loop.counters.upstreamErrors += 1
        replyUpstreamFailed(.init(status: 504, reason: "\(name) did not answer within \(loop.configuration.responseHeadTimeout)"))
    }

    /// The gateway shuts down: what is idle goes, what is in flight is the last of its connection.
    func stop() {
        if phase == .idle, inbound.readableBytes == 0 { return closeAfterFlush() }
        if phase != .tunnel { exchange.keepsAlive = false }
    }
}
