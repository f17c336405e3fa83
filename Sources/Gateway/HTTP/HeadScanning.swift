/// Why a head is refused. The connection is closed after the answer, since nothing behind a bad head can be trusted.
enum HeadProblem: Error {
    /// 400
    case malformed
    /// 431
    case tooLarge
    /// 505
    case version
    /// 501: a method the gateway does not speak (CONNECT).
    case method
}

/// One field line, by offsets from the first byte of its head.
struct FieldLine {
    var start: Int
    var colon: Int
    var valueStart: Int
    var valueEnd: Int
    /// Behind the line's CRLF.
    var end: Int
    var kind: FieldKind
}

enum HeadSearch: Equatable {
    case incomplete
    /// Offset behind the empty line.
    case end(Int)
}

/// Looks for the empty line that ends a head (RFC 9112 section 2.1). Lines end with CRLF and nothing else: a bare LF is refused,
/// since recipients that accept it disagree with those that do not about where a message ends.
func searchHeadEnd(_ bytes: Span<UInt8>, from start: Int) throws(HeadProblem) -> HeadSearch {
    var index = start
    while index < bytes.count {
        if bytes[index] == 0x0A {
            guard index >= 1, bytes[index - 1] == 0x0D else { throw .malformed }
            if index >= 3, bytes[index - 2] == 0x0A { return .end(index + 1) }
        }
        index += 1
    }
    return .incomplete
}

/// Reads the field lines from `start` up to the empty line (RFC 9112 section 5). Line folding is refused.
func scanFields(_ bytes: Span<UInt8>, from start: Int, table: FieldTable, into lines: inout [FieldLine]) throws(HeadProblem) {
    lines.removeAll(keepingCapacity: true)
    var index = start
    while index < bytes.count, bytes[index] != 0x0D {
        if lines.count == maximumFieldCount { throw .tooLarge }
        let (colon, kind) = try table.scanName(bytes, from: index)
        var valueStart = colon + 1
        while valueStart < bytes.count, isBlank(bytes[valueStart]) { valueStart += 1 }
        var end = valueStart
        while end < bytes.count, table.isValid(valueByte: bytes[end]) { end += 1 }
        guard end + 1 < bytes.count, bytes[end] == 0x0D, bytes[end + 1] == 0x0A else { throw .malformed }
        var valueEnd = end
        while valueEnd > valueStart, isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
        lines.append(FieldLine(start: index, colon: colon, valueStart: valueStart, valueEnd: valueEnd, end: end + 2, kind: kind))
        index = end + 2
    }
}

let maximumFieldCount = 256

@inline(__always)
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

@inline(__always)
func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

/// Whether the bytes are `text`, which is in lower case, whatever their own case.
func equals(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    // unsafe: a static string's bytes live as long as the program, and `offset` stays below its count.
    let start = unsafe text.utf8Start
    for offset in 0..<range.count {
        let expected = unsafe start[offset]
        if lowered(bytes[range.lowerBound + offset]) != expected { return false }
    }
    return true
}

/// A `Content-Length` value (RFC 9110 section 8.6): digits only, so no sign, list or blank.
func parseLength(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HeadProblem) -> Int {
    guard !range.isEmpty, range.count <= 18 else { throw .malformed }
    var length = 0
    for index in range {
        let digit = Int(bytes[index]) - 0x30
        guard digit >= 0, digit <= 9 else { throw .malformed }
        length = length * 10 + digit
    }
    return length
}

/// Calls `body` with each token of a comma-separated value (RFC 9110 section 5.6.1).
func forEachToken(_ bytes: Span<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var index = range.lowerBound
    while index < range.upperBound {
        var end = index
        while end < range.upperBound, bytes[end] != 0x2C { end += 1 }
        var first = index
        var last = end
        while first < last, isBlank(bytes[first]) { first += 1 }
        while last > first, isBlank(bytes[last - 1]) { last -= 1 }
        if first < last { body(first..<last) }
        index = end + 1
    }
}
