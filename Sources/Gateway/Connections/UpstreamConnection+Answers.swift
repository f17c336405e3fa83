import NIOCore

extension UpstreamConnection {
    /// Passes on what was read.
    func relay() {
        guard let client else { return close() }
        do {
            while phase == .head {
                guard try readHead(client) else { return }
            }
            if phase == .body { try relayBody(client) }
        } catch {
            phase = .closed
            self.client = nil
            client.upstreamBroke("sent something that is not HTTP")
            close()
        }
    }

    /// - Returns: false where more bytes are needed, or nothing more is to be done.
    private func readHead(_ client: ClientConnection) throws -> Bool {
        let source = inbound
        guard case .end(let end) = try searchHeadEnd(source.readableBytesUInt8Span, from: searched) else {
            searched = inbound.readableBytes
            if searched > loop.configuration.maxHeaderBytes { throw HeadProblem.tooLarge }
            return false
        }
        searched = 0
        try response.parse(source.readableBytesUInt8Span.extracting(0..<end))
        if response.status == 101 { return try switchProtocols(client, headLength: end) }
        if response.status < 200 {
            client.writeInterim(response, source.readableBytesUInt8Span)
            inbound.moveReaderIndex(forwardBy: end)
            return true
        }
        client.exchange.answerBegan = true
        client.waitForNothing()
        setFraming(client)
        client.beginAnswer(response, source.readableBytesUInt8Span, body: body, outgoing: outgoing)
        inbound.moveReaderIndex(forwardBy: end)
        phase = .body
        return true
    }

    /// RFC 9112 section 6.3
    private func setFraming(_ client: ClientConnection) {
        outgoing = .asItIs
        if client.request.method == .head || response.status == 204 || response.status == 304 {
            body = .none
        } else if response.isChunked {
            body = .chunked(ChunkedDecoder())
            if client.request.isHTTP11 { outgoing = .chunked }
        } else if let length = response.contentLength {
            body = length == 0 ? .none : .length(length)
        } else {
            body = .untilClose
            if client.request.isHTTP11 { outgoing = .chunked }
        }
    }

    private func relayBody(_ client: ClientConnection) throws {
        switch body {
        case .none: finish(client)
        case .length(let remaining):
            let count = min(remaining, inbound.readableBytes)
            if count > 0, let part = inbound.readSlice(length: count) { client.writeBody(part) }
            body = .length(remaining - count)
            if remaining == count { finish(client) }
        case .untilClose:
            guard inbound.readableBytes > 0 else { return }
            client.writeBody(inbound, chunked: outgoing == .chunked)
            inbound = ByteBuffer()
        case .chunked(var decoder):
            try relayChunks(&decoder, client)
            body = .chunked(decoder)
            if decoder.isDone { finish(client) }
        }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    private func relayChunks(_ decoder: inout ChunkedDecoder, _ client: ClientConnection) throws(FramingError) {
        let source = inbound
        let bytes = source.readableBytesUInt8Span
        var out = ByteBuffer()
        out.reserveCapacity(bytes.count + 32)
        var index = 0
        while let data = try decoder.next(bytes, &index) {
            if outgoing == .chunked { writeChunkSize(data.count, into: &out) }
            copy(bytes, data, into: &out)
            if outgoing == .chunked { out.writeStaticString("\r\n") }
        }
        inbound.moveReaderIndex(forwardBy: index)
        if out.readableBytes > 0 { client.writeBody(out) }
    }

    /// The answer is complete: the connection goes back to its pool, or is closed, and the client goes on.
    func finish(_ client: ClientConnection) {
        let wasAlive = phase != .closed
        self.client = nil
        client.upstream = nil
        let isReusable =
            wasAlive && response.keepsAlive && client.exchange.requestDone && inbound.readableBytes == 0 && !loop.isStopping
        var needsEnd = outgoing == .chunked
        if case .none = body { needsEnd = false }
        inbound = ByteBuffer()
        if isReusable {
            phase = .idle
            idleSince = loop.now
            if !pool.park(self) { close() }
        } else if wasAlive {
            phase = .closed
            close()
        }
        client.finishAnswer(lastChunk: needsEnd)
    }

    private func switchProtocols(_ client: ClientConnection, headLength: Int) throws -> Bool {
        guard client.request.isUpgrade else { throw HeadProblem.malformed }
        client.exchange.answerBegan = true
        client.waitForNothing()
        let source = inbound
        client.beginTunnel(response, source.readableBytesUInt8Span)
        inbound.moveReaderIndex(forwardBy: headLength)
        phase = .tunnel
        allowHalfClosure()
        if inbound.readableBytes > 0 { client.relayTunnel(inbound) }
        inbound = ByteBuffer()
        client.flush()
        return false
    }

    private func allowHalfClosure() {
        try? context?.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    }
}
