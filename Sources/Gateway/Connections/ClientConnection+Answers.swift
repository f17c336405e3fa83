import NIOCore

extension ClientConnection {
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ bytes: ByteBuffer) {
        context?.write(Self.wrapOutboundOut(bytes), promise: nil)
        needsFlush = true
    }

    func flush() {
        guard needsFlush else { return }
        needsFlush = false
        context?.flush()
    }

    /// A 1xx in front of the answer (RFC 9110 section 15.2); clients of HTTP/1.0 know none.
    func writeInterim(_ response: ResponseHead, _ bytes: Span<UInt8>) {
        guard request.isHTTP11 else { return }
        var out = ByteBuffer()
        response.write(bytes, into: &out)
        out.writeStaticString("\r\n")
        write(out)
        flush()
    }

    /// Puts the answer's head together; it leaves with the first of its body.
    func beginAnswer(_ response: ResponseHead, _ bytes: Span<UInt8>, body: BodyFraming, outgoing: UpstreamConnection.Outgoing) {
        loop.counters.count(status: response.status)
        exchange.tally?.answered(status: response.status, after: .now() - exchange.askedAt)
        if case .untilClose = body, outgoing == .asItIs { exchange.keepsAlive = false }
        if case .chunked = body, outgoing == .asItIs { exchange.keepsAlive = false }
        // The rest of an upload that was turned away would have to be read over.
        if !exchange.requestDone, response.status >= 400 { exchange.keepsAlive = false }
        if loop.isStopping { exchange.keepsAlive = false }
        responseOut.clear()
        response.write(bytes, into: &responseOut)
        if let length = response.contentLength, response.status != 204 {
            responseOut.writeStaticString("Content-Length: ")
            writeDecimal(length, into: &responseOut)
            responseOut.writeStaticString("\r\n")
        }
        if outgoing == .chunked { responseOut.writeStaticString("Transfer-Encoding: chunked\r\n") }
        writeConnection(into: &responseOut)
        responseOut.writeStaticString("\r\n")
        hasHeadToWrite = true
    }

    func writeConnection(into out: inout ByteBuffer) {
        if !exchange.keepsAlive {
            out.writeStaticString("Connection: close\r\n")
        } else if !request.isHTTP11 {
            out.writeStaticString("Connection: keep-alive\r\n")
        }
    }

    func writeBody(_ part: ByteBuffer, chunked: Bool = false) {
        var part = part
        if hasHeadToWrite, part.readableBytes <= 16 * 1024 {
            if chunked { writeChunkSize(part.readableBytes, into: &responseOut) }
            responseOut.writeBuffer(&part)
            if chunked { responseOut.writeStaticString("\r\n") }
            return writeHead()
        }
        writeHead()
        guard chunked else { return write(part) }
        var line = ByteBuffer()
        writeChunkSize(part.readableBytes, into: &line)
        write(line)
        write(part)
        write(ByteBuffer(staticString: "\r\n"))
    }

    private func writeHead() {
        guard hasHeadToWrite else { return }
        hasHeadToWrite = false
        write(responseOut)
    }

    /// The answer is complete.
    func finishAnswer(lastChunk: Bool) {
        leavePool()
        if lastChunk {
            if hasHeadToWrite {
                responseOut.writeStaticString("0\r\n\r\n")
            } else {
                write(ByteBuffer(staticString: "0\r\n\r\n"))
            }
        }
        writeHead()
        endExchange()
    }

    /// Goes on with the next request, or closes once the answer has left.
    func endExchange() {
        guard phase != .closed else { return }
        exchange.viewer = nil
        exchange.route = nil
        exchange.tally = nil
        // A connection at rest holds little memory, whatever its last request was.
        if requestOut.capacity > Self.maximumKept { requestOut = ByteBuffer() }
        guard exchange.keepsAlive, exchange.requestDone else { return closeAfterFlush() }
        flush()
        if responseOut.capacity > Self.maximumKept { responseOut = ByteBuffer() }
        guard phase != .closed else { return }
        phase = .idle
        wait(.nextRequest, loop.configuration.idleTimeout)
        if loop.isStopping { return closeAfterFlush() }
        advance()
        resumeReading()
    }

    private static var maximumKept: Int { 8 * 1024 }

    /// Closes once all has left. Where the client may still be sending, first only our direction: a reset would destroy the
    /// answer on its way (RFC 9112 section 9.6).
    func closeAfterFlush() {
        let lingers = !exchange.requestDone || inbound.readableBytes > 0
        phase = .closing
        inbound = ByteBuffer()
        wait(.goodbye, loop.configuration.stallTimeout)
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            guard self.phase == .closing else { return }
            guard lingers else { return self.close() }
            self.wait(.goodbye, .seconds(2))
            self.closeOutput()
            self.resumeReading()
        }
        needsFlush = false
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    /// Ends our direction once all of it has left: closing at once would drop what waits where the other direction is closed.
    func closeOutput() {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
        needsFlush = false
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}

extension ClientConnection {
    /// After a 101: bytes both ways, each direction closing for itself, as WebSocket (RFC 6455 section 7.1.1) allows.
    func beginTunnel(_ response: ResponseHead, _ bytes: Span<UInt8>) {
        loop.counters.count(status: 101)
        exchange.tally = nil
        exchange.isWebSocket = true
        exchange.pool?.becameWebSocket()
        frames = FrameTracker()
        var out = ByteBuffer()
        response.write(bytes, into: &out)
        out.writeStaticString("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        write(out)
        phase = .tunnel
        try? context?.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        if inbound.readableBytes > 0 {
            upstream?.write(inbound)
            upstream?.flush()
        }
        inbound = ByteBuffer()
        resumeReading()
    }

    /// Passes on what the app sends through its WebSocket.
    func relayTunnel(_ bytes: ByteBuffer) {
        frames.pass(bytes.readableBytesUInt8Span)
        write(bytes)
    }

    /// Ends what has no end of its own. A browser is told so where nothing of the app's is half said: "going away" (RFC 6455
    /// section 7.4.1), on which it opens its WebSocket anew.
    func goAway() {
        guard phase == .tunnel else { return close() }
        if frames.isBetweenFrames { write(ByteBuffer(bytes: [0x88, 0x02, 0x03, 0xE9])) }
        abandonUpstream()
        exchange.requestDone = false
        exchange.keepsAlive = false
        closeAfterFlush()
        wait(.goodbye, .seconds(2))
    }

    /// The upstream's connection is gone.
    func tunnelEnded() {
        upstream = nil
        leavePool()
        exchange.requestDone = true
        closeAfterFlush()
    }
}
