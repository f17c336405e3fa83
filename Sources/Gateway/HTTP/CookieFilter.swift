import Models
import NIOCore

/// Takes our cookies out of a `Cookie` field and leaves the others byte for byte (RFC 6265 section 4.2).
struct CookieFilter: Sendable {
    private let reserved: [[UInt8]]
    private let viewer: [UInt8]

    init(reserved: Set<String> = ViewerHeaders.reservedCookies, viewer: String = "moor_app") {
        self.reserved = reserved.sorted().map { Array($0.utf8) }
        self.viewer = Array(viewer.utf8)
    }

    /// The value of the first cookie that tells the app's viewer; nil where there is none or it is longer than any we issue.
    func viewerCookie(_ bytes: Span<UInt8>, _ value: Range<Int>) -> String? {
        var found: String?
        forEachPair(bytes, value) { pair in
            guard found == nil, pair.count > viewer.count, begins(bytes, pair, viewer),
                bytes[pair.lowerBound + viewer.count] == 0x3D, pair.count <= viewer.count + 1 + Self.longest
            else { return }
            let start = pair.lowerBound + viewer.count + 1
            if start < pair.upperBound { found = text(bytes, start..<pair.upperBound) }
        }
        return found
    }

    /// Appends the pairs that may pass, with "; " in front where `hasPairs` already.
    func write(_ bytes: Span<UInt8>, _ value: Range<Int>, hasPairs: inout Bool, into out: inout ByteBuffer) {
        var any = hasPairs
        forEachPair(bytes, value) { pair in
            guard !isReserved(bytes, pair) else { return }
            if any { out.writeStaticString("; ") } else { out.writeStaticString("Cookie: ") }
            any = true
            copy(bytes, pair, into: &out)
        }
        hasPairs = any
    }

    /// Longer values are not looked up, so that the memory of the viewer cache is bounded.
    static let longest = 1024

    private func forEachPair(_ bytes: Span<UInt8>, _ value: Range<Int>, _ body: (Range<Int>) -> Void) {
        var index = value.lowerBound
        while index < value.upperBound {
            var end = index
            while end < value.upperBound, bytes[end] != 0x3B { end += 1 }
            var first = index
            var last = end
            while first < last, isBlank(bytes[first]) { first += 1 }
            while last > first, isBlank(bytes[last - 1]) { last -= 1 }
            if first < last { body(first..<last) }
            index = end + 1
        }
    }

    /// Whether the pair is ours, or some cookie parser would find one of ours in it: `http.cookies` of Python also splits at
    /// blanks, and others strip quotes, commas and Unicode blanks around a name. What cannot stand in a cookie (RFC 6265
    /// section 4.1.1) is therefore taken for such a border.
    private func isReserved(_ bytes: Span<UInt8>, _ pair: Range<Int>) -> Bool {
        var start = pair.lowerBound
        while start < pair.upperBound {
            for name in reserved where begins(bytes, start..<pair.upperBound, name) {
                var end = start + name.count
                while end < pair.upperBound, isBorder(bytes[end]) { end += 1 }
                if end == pair.upperBound || bytes[end] == 0x3D { return true }
            }
            while start < pair.upperBound, !isBorder(bytes[start]) { start += 1 }
            while start < pair.upperBound, isBorder(bytes[start]) { start += 1 }
        }
        return false
    }

    private func isBorder(_ byte: UInt8) -> Bool { byte <= 0x20 || byte >= 0x7F || byte == 0x2C || byte == 0x22 }

    private func begins(_ bytes: Span<UInt8>, _ range: Range<Int>, _ name: [UInt8]) -> Bool {
        guard range.count >= name.count else { return false }
        for offset in 0..<name.count where bytes[range.lowerBound + offset] != name[offset] { return false }
        return true
    }
}

/// The bytes as text; what is not UTF-8 is replaced.
func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    // unsafe: the bytes are read inside the closure only.
    unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
}
