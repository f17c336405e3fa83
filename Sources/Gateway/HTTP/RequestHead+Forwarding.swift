import NIOCore

/// What the gateway itself adds to a request.
struct ForwardedFields {
    /// `X-Forwarded-For` and `-Proto` as whole lines; the same for all requests of a connection.
    var client: [UInt8]
    var requestID: UInt64
    /// The viewer of an app; nil toward the control plane.
    var viewer: RenderedViewer?
}

extension RequestHead {
    /// Writes the head that goes upstream, framing and empty line included.
    /// - Parameter bytes: what the head was parsed from.
    func write(_ bytes: Span<UInt8>, adding added: ForwardedFields, toApp: Bool, cookies: CookieFilter, into out: inout ByteBuffer) {
        copy(bytes, 0..<methodEnd + 1, into: &out)
        if insertsSlash { out.writeInteger(UInt8(0x2F)) }
        copy(bytes, target, into: &out)
        out.writeStaticString(" HTTP/1.1\r\nHost: ")
        if let authority { copy(bytes, authority, into: &out) }
        out.writeStaticString("\r\n")
        writeKept(lines, bytes, named: namedByConnection, into: &out) { kind in
            switch kind {
            case .other, .accept, .fetchMode: true
            // The gateway itself answers the expectation for the control plane.
            case .expect: toApp
            case .cookie: !toApp
            default: false
            }
        }
        if toApp { writeCookies(bytes, added.viewer, cookies, into: &out) }
        if let contentLength {
            out.writeStaticString("Content-Length: ")
            writeDecimal(contentLength, into: &out)
            out.writeStaticString("\r\n")
        } else if isChunked {
            out.writeStaticString("Transfer-Encoding: chunked\r\n")
        }
        if isUpgrade { out.writeStaticString("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
        out.writeBytes(added.client)
        if let authority {
            out.writeStaticString("X-Forwarded-Host: ")
            copy(bytes, authority, into: &out)
            out.writeStaticString("\r\n")
        }
        out.writeStaticString("X-Request-Id: ")
        writeHexadecimal(added.requestID, into: &out)
        out.writeStaticString("\r\n")
        if let viewer = added.viewer { out.writeBytes(viewer.lines) }
        out.writeStaticString("\r\n")
    }

    private func writeCookies(_ bytes: Span<UInt8>, _ viewer: RenderedViewer?, _ cookies: CookieFilter, into out: inout ByteBuffer) {
        var hasPairs = false
        if hasCookie {
            for line in lines where line.kind == .cookie {
                cookies.write(bytes, line.valueStart..<line.valueEnd, hasPairs: &hasPairs, into: &out)
            }
        }
        if let cookie = viewer?.cookie {
            if hasPairs { out.writeStaticString("; ") } else { out.writeStaticString("Cookie: ") }
            out.writeBytes(cookie)
            hasPairs = true
        }
        if hasPairs { out.writeStaticString("\r\n") }
    }

    /// The value of the app's viewer cookie; nil where there is none.
    func viewerCookie(_ bytes: Span<UInt8>, _ cookies: CookieFilter) -> String? {
        guard hasCookie else { return nil }
        for line in lines where line.kind == .cookie {
            if let found = cookies.viewerCookie(bytes, line.valueStart..<line.valueEnd) { return found }
        }
        return nil
    }
}

/// Appends part of what was read.
@inline(__always)
func copy(_ bytes: Span<UInt8>, _ range: Range<Int>, into out: inout ByteBuffer) {
    // unsafe: only a type with padding has bytes that must not be read; UInt8 has none.
    unsafe out.writeBytes(bytes.extracting(range).bytes)
}

/// Writes a number without making a string of it.
func writeDecimal(_ value: Int, into out: inout ByteBuffer) {
    var divisor = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
        out.writeInteger(UInt8(0x30 + value / divisor % 10))
        divisor /= 10
    }
}

/// Writes sixteen hexadecimal digits.
func writeHexadecimal(_ value: UInt64, into out: inout ByteBuffer) {
    var shift = 60
    while shift >= 0 {
        let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift) & 0xF)
        out.writeInteger(digit < 10 ? 0x30 + digit : 0x57 + digit)
        shift -= 4
    }
}

/// Writes the line in front of a chunk of `count` bytes (RFC 9112 section 7.1).
func writeChunkSize(_ count: Int, into out: inout ByteBuffer) {
    var shift = 60
    while shift > 0, count >> shift == 0 { shift -= 4 }
    while shift >= 0 {
        let digit = UInt8(truncatingIfNeeded: count >> shift & 0xF)
        out.writeInteger(digit < 10 ? 0x30 + digit : 0x57 + digit)
        shift -= 4
    }
    out.writeStaticString("\r\n")
}
