import NIOCore

/// An upstream's response head, by offsets into the bytes it was read from. Reused for every response of a connection.
struct ResponseHead {
    var status = 0
    /// Status code and reason, as they are passed on.
    var statusText = 0..<0
    var isHTTP11 = true
    var lines: [FieldLine] = []
    var contentLength: Int?
    var isChunked = false
    var saysClose = false
    var saysKeepAlive = false
    var namedByConnection: [Range<Int>] = []
    var upgrade: Range<Int>?

    var keepsAlive: Bool { isHTTP11 ? !saysClose : saysKeepAlive && !saysClose }

    /// - Parameter bytes: the whole head with its empty line.
    mutating func parse(_ bytes: Span<UInt8>) throws(HeadProblem) {
        var reused: [FieldLine] = []
        swap(&reused, &lines)
        self = ResponseHead()
        swap(&reused, &lines)
        guard bytes.count >= 14, equals(bytes, 0..<7, "http/1."), bytes[7] == 0x30 || bytes[7] == 0x31, bytes[8] == 0x20 else {
            throw .malformed
        }
        isHTTP11 = bytes[7] == 0x31
        for index in 9..<12 {
            guard bytes[index] >= 0x30, bytes[index] <= 0x39 else { throw .malformed }
            status = status * 10 + Int(bytes[index]) - 0x30
        }
        guard status >= 100, bytes[12] == 0x20 || bytes[12] == 0x0D else { throw .malformed }
        var end = 12
        while end < bytes.count, FieldTable.response.isValid(valueByte: bytes[end]) { end += 1 }
        guard end + 1 < bytes.count, bytes[end] == 0x0D, bytes[end + 1] == 0x0A else { throw .malformed }
        statusText = 9..<end
        try scanFields(bytes, from: end + 2, table: .response, into: &self.lines)
        for index in self.lines.indices {
            let line = self.lines[index]
            let value = line.valueStart..<line.valueEnd
            switch line.kind {
            case .contentLength:
                let length = try parseLength(bytes, value)
                guard contentLength == nil || contentLength == length else { throw .malformed }
                contentLength = length
            case .transferEncoding:
                guard !isChunked, equals(bytes, value, "chunked") else { throw .malformed }
                isChunked = true
            case .connection: readConnection(bytes, value)
            case .upgrade: upgrade = value
            default: break
            }
        }
        // RFC 9112 section 6.3: the transfer coding wins, and the connection is not used again.
        if isChunked, contentLength != nil {
            contentLength = nil
            saysClose = true
        }
    }

    private mutating func readConnection(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        forEachToken(bytes, value) { token in
            if equals(bytes, token, "close") {
                saysClose = true
            } else if equals(bytes, token, "keep-alive") {
                saysKeepAlive = true
            } else if !equals(bytes, token, "upgrade") {
                namedByConnection.append(token)
            }
        }
    }

    /// Writes status line and end-to-end fields, without framing, `Connection` and the empty line.
    func write(_ bytes: Span<UInt8>, into out: inout ByteBuffer) {
        out.writeStaticString("HTTP/1.1 ")
        copy(bytes, statusText, into: &out)
        // RFC 9112 section 4: the blank stands there also without a reason.
        if statusText.count == 3 { out.writeInteger(UInt8(0x20)) }
        out.writeStaticString("\r\n")
        writeKept(lines, bytes, named: namedByConnection, into: &out) { $0 == .other }
    }
}

/// Copies the kept lines byte for byte, neighbours in one run.
@inline(__always)
func writeKept(
    _ lines: [FieldLine], _ bytes: Span<UInt8>, named: [Range<Int>], into out: inout ByteBuffer, keeps: (FieldKind) -> Bool
) {
    var start = 0
    var end = 0
    for line in lines where keeps(line.kind) && !isNamed(line, bytes, named) {
        if line.start != end {
            if end > start { copy(bytes, start..<end, into: &out) }
            start = line.start
        }
        end = line.end
    }
    if end > start { copy(bytes, start..<end, into: &out) }
}

private func isNamed(_ line: FieldLine, _ bytes: Span<UInt8>, _ named: [Range<Int>]) -> Bool {
    for name in named where name.count == line.colon - line.start {
        if (0..<name.count).allSatisfy({ lowered(bytes[name.lowerBound + $0]) == lowered(bytes[line.start + $0]) }) { return true }
    }
    return false
}
