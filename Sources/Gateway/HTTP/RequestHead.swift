/// A client's request head, by offsets into the bytes it was read from. Reused for every request of a connection.
struct RequestHead {
    enum Method { case get, head, options, trace, put, delete, other }

    var method = Method.other
    var methodEnd = 0
    /// The target in origin form; in front of it `insertsSlash` puts what an absolute form may leave out.
    var target = 0..<0
    var insertsSlash = false
    var isHTTP11 = true
    var lines: [FieldLine] = []
    /// Host and port as they are passed on; nil where there are none (HTTP/1.0).
    var authority: Range<Int>?
    var contentLength: Int?
    var isChunked = false
    var saysClose = false
    var saysKeepAlive = false
    var saysUpgrade = false
    /// Names in `Connection` that are removed with it.
    var namedByConnection: [Range<Int>] = []
    var upgradesToWebSocket = false
    var acceptsTrailers = false
    var expectsContinue = false
    var hasCookie = false
    var wantsHTML = false
    var saysNavigate = false

    var keepsAlive: Bool { isHTTP11 ? !saysClose : saysKeepAlive && !saysClose }
    /// RFC 9110 section 9.2.2
    var isIdempotent: Bool { method != .other }
    /// A browser that shows what comes back as a page.
    var isNavigation: Bool { (method == .get || method == .head) && (wantsHTML || saysNavigate) && !isUpgrade }
    /// A WebSocket handshake (RFC 6455 section 4.1). No other protocol is switched to: through `h2c` a client could
    /// speak to the app past the gateway.
    var isUpgrade: Bool {
        upgradesToWebSocket && saysUpgrade && method == .get && isHTTP11 && !isChunked && (contentLength ?? 0) == 0
    }

    /// - Parameter bytes: the whole head with its empty line.
    mutating func parse(_ bytes: Span<UInt8>) throws(HeadProblem) {
        // Swapped rather than copied, so that the memory is used again.
        var reused: [FieldLine] = []
        swap(&reused, &lines)
        self = RequestHead()
        swap(&reused, &lines)
        let fields = try parseRequestLine(bytes)
        try scanFields(bytes, from: fields, table: .request, into: &self.lines)
        var hasHost = false
        for index in self.lines.indices {
            let line = self.lines[index]
            let value = line.valueStart..<line.valueEnd
            switch line.kind {
            case .other, .dropped: break
            case .host:
                guard !hasHost else { throw .malformed }
                hasHost = true
                if authority == nil { authority = value }
            case .contentLength:
                guard contentLength == nil else { throw .malformed }
                contentLength = try parseLength(bytes, value)
            case .transferEncoding:
                guard !isChunked, isHTTP11, equals(bytes, value, "chunked") else { throw .malformed }
                isChunked = true
            case .connection: readConnection(bytes, value)
            case .cookie: hasCookie = true
            case .upgrade: upgradesToWebSocket = equals(bytes, value, "websocket")
            case .te: acceptsTrailers = acceptsTrailers || equals(bytes, value, "trailers")
            case .expect: expectsContinue = equals(bytes, value, "100-continue")
            case .accept: wantsHTML = wantsHTML || contains(bytes, value, "text/html")
            case .fetchMode: saysNavigate = equals(bytes, value, "navigate")
            }
        }
        guard hasHost || !isHTTP11, !(isChunked && contentLength != nil) else { throw .malformed }
        if let authority, !authority.allSatisfy({ isAuthorityByte(bytes[$0]) }) { throw .malformed }
    }

    /// - Returns: where the field lines start.
    private mutating func parseRequestLine(_ bytes: Span<UInt8>) throws(HeadProblem) -> Int {
        var index = 0
        while index < bytes.count, FieldTable.request.isToken(bytes[index]) { index += 1 }
        guard index > 0, index <= 32, index < bytes.count, bytes[index] == 0x20 else { throw .malformed }
        methodEnd = index
        method = try readMethod(bytes)
        let start = index + 1
        index = start
        while index < bytes.count, bytes[index] > 0x20, bytes[index] != 0x7F { index += 1 }
        target = start..<index
        let version = index + 1
        guard !target.isEmpty, version + 10 <= bytes.count, bytes[index] == 0x20 else { throw .malformed }
        guard equals(bytes, version..<version + 5, "http/"), bytes[version] == 0x48, bytes[version + 6] == 0x2E,
            bytes[version + 8] == 0x0D, bytes[version + 9] == 0x0A
        else { throw .malformed }
        guard bytes[version + 5] == 0x31 else { throw .version }
        switch bytes[version + 7] {
        case 0x30: isHTTP11 = false
        case 0x31: isHTTP11 = true
        default: throw .version
        }
        try readTarget(bytes)
        return version + 10
    }

    private func readMethod(_ bytes: Span<UInt8>) throws(HeadProblem) -> Method {
        func named(_ text: StaticString) -> Bool {
            // Methods are case-sensitive (RFC 9110 section 9.1): all upper case here, since `equals` looks past case.
            equals(bytes, 0..<methodEnd, text) && (0..<methodEnd).allSatisfy { bytes[$0] < 0x61 }
        }
        if named("get") { return .get }
        if named("head") { return .head }
        if named("options") { return .options }
        if named("trace") { return .trace }
        if named("put") { return .put }
        if named("delete") { return .delete }
        if named("connect") { throw .method }
        return .other
    }

    /// Origin form, `*` for OPTIONS, or absolute form, whose authority wins over `Host` (RFC 9112 section 3.2).
    private mutating func readTarget(_ bytes: Span<UInt8>) throws(HeadProblem) {
        let first = target.lowerBound
        if bytes[first] == 0x2F { return }
        if target.count == 1, bytes[first] == 0x2A, method == .options { return }
        let scheme = target.count > 7 && equals(bytes, first..<first + 7, "http://") ? 7 : 8
        guard scheme == 7 || (target.count > 8 && equals(bytes, first..<first + 8, "https://")) else { throw .malformed }
        var index = first + scheme
        while index < target.upperBound, bytes[index] != 0x2F, bytes[index] != 0x3F { index += 1 }
        guard index > first + scheme else { throw .malformed }
        authority = first + scheme..<index
        target = index..<target.upperBound
        insertsSlash = target.isEmpty || bytes[index] == 0x3F
    }

    private mutating func readConnection(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        forEachToken(bytes, value) { token in
            if equals(bytes, token, "close") {
                saysClose = true
            } else if equals(bytes, token, "keep-alive") {
                saysKeepAlive = true
            } else if equals(bytes, token, "upgrade") {
                saysUpgrade = true
            } else {
                namedByConnection.append(token)
            }
        }
    }

    private func contains(_ bytes: Span<UInt8>, _ value: Range<Int>, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard value.count >= count else { return false }
        for start in value.lowerBound...(value.upperBound - count) where equals(bytes, start..<start + count, text) { return true }
        return false
    }

    private func isAuthorityByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x3A, 0x2D, 0x2E, 0x5F, 0x5B, 0x5D: true
        default: false
        }
    }
}

extension RequestHead {
    /// The host in lower case without port and without the root's dot, as routes are keyed; empty where there is none.
    func routeHost(_ bytes: Span<UInt8>) -> String {
        guard let authority else { return "" }
        var end = authority.upperBound
        var index = end
        while index > authority.lowerBound, bytes[index - 1] >= 0x30, bytes[index - 1] <= 0x39 { index -= 1 }
        if index > authority.lowerBound, bytes[index - 1] == 0x3A { end = index - 1 }
        if end > authority.lowerBound, bytes[end - 1] == 0x2E { end -= 1 }
        // unsafe: `offset` stays below the capacity asked for.
        return unsafe String(unsafeUninitializedCapacity: end - authority.lowerBound) { buffer in
            for offset in 0..<(end - authority.lowerBound) {
                unsafe buffer[offset] = lowered(bytes[authority.lowerBound + offset])
            }
            return end - authority.lowerBound
        }
    }

    /// Whether the target is below the gateway's own path on every app's host.
    func isPlatformPath(_ bytes: Span<UInt8>) -> Bool {
        target.count >= 7 && !insertsSlash && equals(bytes, target.lowerBound..<target.lowerBound + 7, "/_moor/")
    }
}
