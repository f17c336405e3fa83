import Models
import NIOCore

extension ClientConnection {
    /// Deals with what was read as far as the phase allows. Not entered twice: an answer given at once comes back here, and
    /// thousands of requests sent ahead must not nest.
    func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while true {
            switch phase {
            case .idle:
                guard readHead() else { return }
            case .relaying where !exchange.requestDone:
                relayBody()
                return
            default: return
            }
        }
    }

    /// - Returns: false where more bytes are needed.
    private func readHead() -> Bool {
        // RFC 9112 section 2.2: an empty line in front of a request is read over.
        while searched == 0, inbound.readableBytes >= 2, inbound.getInteger(at: inbound.readerIndex, as: UInt16.self) == 0x0D0A {
            inbound.moveReaderIndex(forwardBy: 2)
        }
        guard inbound.readableBytes > 0 else {
            inbound = ByteBuffer()
            return false
        }
        let found: HeadSearch
        do throws(HeadProblem) {
            found = try searchHeadEnd(inbound.readableBytesUInt8Span, from: searched)
            guard case .end(let end) = found else {
                searched = inbound.readableBytes
                if searched > loop.configuration.maxHeaderBytes { throw .tooLarge }
                if waiting != .head { wait(.head, loop.configuration.clientHeadTimeout) }
                return false
            }
            searched = 0
            waitForNothing()
            loop.counters.requests += 1
            guard end <= loop.configuration.maxHeaderBytes else { throw .tooLarge }
            exchange = Exchange()
            exchange.requestID = loop.nextRequestID()
            try request.parse(inbound.readableBytesUInt8Span.extracting(0..<end))
            begin(headLength: end)
        } catch {
            request = RequestHead()
            exchange = Exchange()
            refuse(error)
        }
        return true
    }

    private func begin(headLength: Int) {
        if request.isChunked {
            exchange.body = .chunked(ChunkedDecoder())
        } else if let length = request.contentLength, length > 0 {
            exchange.body = .length(length)
        }
        if case .none = exchange.body { exchange.requestDone = true } else { exchange.requestDone = false }
        exchange.keepsAlive = request.keepsAlive && !loop.isStopping
        exchange.host = request.routeHost(inbound.readableBytesUInt8Span)
        headEnd = headLength

        if exchange.host == loop.configuration.panelHost { return forward(toApp: false) }
        guard let route = loop.routes[exchange.host] else { return replyNoSuchApp() }
        if request.isPlatformPath(inbound.readableBytesUInt8Span) { return forward(toApp: false) }
        exchange.route = route
        let key = ViewerKey(
            appID: route.route.appID, cookie: request.viewerCookie(inbound.readableBytesUInt8Span, loop.cookies))
        if let decision = loop.viewers.find(key, now: loop.now) {
            apply(decision)
        } else {
            phase = .deciding
            wait(.decision, .seconds(10))
            loop.counters.decisions += 1
            loop.ask(about: key, for: self)
        }
    }

    var isWaitingForDecision: Bool { phase == .deciding }

    func viewerDecided(_ decision: RememberedDecision) {
        guard phase == .deciding else { return }
        waitForNothing()
        // The route may have changed meanwhile.
        exchange.route = loop.routes[exchange.host]
        if exchange.route != nil { apply(decision) } else { replyNoSuchApp() }
        advance()
        resumeReading()
    }

    /// Too many questions wait already.
    func viewerUndecided() {
        replyUnavailable(.init(status: 503, reason: "the platform is too busy to look up who you are"))
    }

    private func apply(_ decision: RememberedDecision) {
        switch decision {
        case .allow(let viewer):
            exchange.viewer = viewer
            forward(toApp: true)
        case .signIn: replySignIn()
        case .forbidden(let username): replyForbidden(username)
        }
    }

    /// Renders the request as it goes upstream and looks for a connection.
    private func forward(toApp: Bool) {
        exchange.toApp = toApp
        if toApp, exchange.route?.knowsViewers == true { exchange.affinity = affinity() }
        let added = ForwardedFields(client: forwardedLines, requestID: exchange.requestID, viewer: exchange.viewer)
        requestOut.clear()
        request.write(
            inbound.readableBytesUInt8Span, adding: added, toApp: toApp, cookies: loop.cookies, into: &requestOut)
        passHead()
        if !toApp, request.expectsContinue, request.isHTTP11, !exchange.requestDone, inbound.readableBytes == 0 {
            write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
            flush()
        }
        chooseUpstream(except: nil)
    }

    /// Moves behind the head; nothing of `request` may be read from `inbound` afterwards.
    func passHead() {
        inbound.moveReaderIndex(forwardBy: headEnd)
        headEnd = 0
    }

    /// The client's bytes up to the end of the request's body go upstream.
    func relayBody() {
        guard let upstream else { return }
        switch exchange.body {
        case .none, .untilClose: exchange.requestDone = true
        case .length(let remaining):
            let count = min(remaining, inbound.readableBytes)
            if count > 0, let part = inbound.readSlice(length: count) { upstream.write(part) }
            exchange.body = .length(remaining - count)
            exchange.requestDone = remaining == count
        case .chunked(var decoder):
            guard let part = copyChunks(&decoder) else { return refuseBody() }
            exchange.body = .chunked(decoder)
            exchange.requestDone = decoder.isDone
            if part.readableBytes > 0 { upstream.write(part) }
        }
        exchange.isReplayable = false
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        if !exchange.answerBegan { waitForAnswer() }
    }

    /// Puts what was already read of a short body behind the head, so that both leave in one write and can be sent again.
    func appendBodyStart() {
        guard inbound.readableBytes > 0, inbound.readableBytes <= Self.maximumStart else { return }
        switch exchange.body {
        case .none, .untilClose: return
        case .length(let remaining):
            let count = min(remaining, inbound.readableBytes)
            guard var part = inbound.readSlice(length: count) else { return }
            requestOut.writeBuffer(&part)
            exchange.body = .length(remaining - count)
            exchange.requestDone = remaining == count
        case .chunked(var decoder):
            guard var part = copyChunks(&decoder) else { return refuseBody() }
            requestOut.writeBuffer(&part)
            exchange.body = .chunked(decoder)
            exchange.requestDone = decoder.isDone
        }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
    }

    private static var maximumStart: Int { 16 * 1024 }

    /// Chunks are framed anew, so that the upstream sees sizes and line ends of the gateway's making only; extensions and
    /// trailers, in which identity fields could hide, end here.
    private func copyChunks(_ decoder: inout ChunkedDecoder) -> ByteBuffer? {
        var out = ByteBuffer()
        out.reserveCapacity(inbound.readableBytes + 32)
        let source = inbound
        let bytes = source.readableBytesUInt8Span
        var index = 0
        do throws(FramingError) {
            while let data = try decoder.next(bytes, &index) {
                writeChunkSize(data.count, into: &out)
                copy(bytes, data, into: &out)
                out.writeStaticString("\r\n")
            }
        } catch {
            return nil
        }
        if decoder.isDone { out.writeStaticString("0\r\n\r\n") }
        inbound.moveReaderIndex(forwardBy: index)
        return out
    }

    private func refuseBody() {
        if exchange.answerBegan { return close() }
        refuse(.malformed)
    }
}
