import Models

/// What the gateway does with a header field, by its name.
enum FieldKind: UInt8, Sendable {
    /// Passed on byte for byte.
    case other
    /// Never passed on: hop-by-hop (RFC 9110 section 7.6.1), or ours to say and not the sender's.
    case dropped
    case host, contentLength, transferEncoding, connection, cookie, upgrade, te, expect, accept, fetchMode
}

/// Classifies field names in the same pass that validates them.
///
/// Names are folded to lower case and "_" to "-", since CGI and WSGI servers fold "-" to "_" and would take
/// `X_Forwarded_User` for `X-Forwarded-User`. A name that is known only after folding "_" is always dropped.
final class FieldTable: Sendable {
    private struct Slot: Sendable {
        var name: [UInt8]
        var kind: FieldKind
    }

    /// By byte: 0 for what cannot stand in a name (RFC 9110 section 5.6.2), else the folded byte.
    private let folded: [UInt8]
    /// By byte: false for what cannot stand in a value (RFC 9110 section 5.5).
    private let isValueByte: [Bool]
    /// Open addressing over the FNV-1a hash of the folded name; an empty name marks a free slot.
    private let slots: [Slot]
    private let prefixes: [[UInt8]]

    init(known: [String: FieldKind], droppedPrefixes: [String]) {
        folded = (0...255).map { Self.fold(UInt8($0)) }
        isValueByte = (0...255).map { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
        prefixes = droppedPrefixes.map { Array($0.utf8) }
        var slots = Array(repeating: Slot(name: [], kind: .other), count: 256)
        precondition(known.count < slots.count / 2)
        for (name, kind) in known {
            let bytes = name.utf8.map { Self.fold($0) }
            var index = Int(bytes.reduce(Self.seed) { Self.mix($0, $1) } & 0xFF)
            while !slots[index].name.isEmpty { index = (index + 1) & 0xFF }
            slots[index] = Slot(name: bytes, kind: kind)
        }
        self.slots = slots
    }

    /// Reads a name that starts at `start`.
    /// - Returns: where the colon stands, and what the name is.
    func scanName(_ bytes: Span<UInt8>, from start: Int) throws(HeadProblem) -> (colon: Int, kind: FieldKind) {
        var hash = Self.seed
        var index = start
        var hasUnderscore = false
        while index < bytes.count {
            let byte = bytes[index]
            let folded = folded[Int(byte)]
            if folded == 0 { break }
            if byte == 0x5F { hasUnderscore = true }
            hash = Self.mix(hash, folded)
            index += 1
        }
        guard index > start, index < bytes.count, bytes[index] == 0x3A else { throw .malformed }
        let kind = lookUp(bytes, start, index, hash)
        return (index, hasUnderscore && kind != .other ? .dropped : kind)
    }

    func isValid(valueByte byte: UInt8) -> Bool { isValueByte[Int(byte)] }
    func isToken(_ byte: UInt8) -> Bool { folded[Int(byte)] != 0 }

    private func lookUp(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ hash: UInt32) -> FieldKind {
        var slot = Int(hash & 0xFF)
        while !slots[slot].name.isEmpty {
            if slots[slot].name.count == end - start, begins(bytes, start, with: slots[slot].name) { return slots[slot].kind }
            slot = (slot + 1) & 0xFF
        }
        for prefix in prefixes where prefix.count <= end - start && begins(bytes, start, with: prefix) { return .dropped }
        return .other
    }

    private func begins(_ bytes: Span<UInt8>, _ start: Int, with name: [UInt8]) -> Bool {
        for offset in 0..<name.count where folded[Int(bytes[start + offset])] != name[offset] { return false }
        return true
    }

    private static let seed: UInt32 = 2_166_136_261
    private static func mix(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte)) &* 16_777_619 }

    private static func fold(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x41...0x5A: byte | 0x20
        case 0x5F: 0x2D
        case 0x61...0x7A, 0x30...0x39: byte
        default: "!#$%&'*+-.^`|~".utf8.contains(byte) ? byte : 0
        }
    }
}

extension FieldTable {
    /// For requests: what only the gateway may say about viewer, address and request is dropped.
    static let request: FieldTable = {
        var known: [String: FieldKind] = [
            "host": .host, "content-length": .contentLength, "transfer-encoding": .transferEncoding, "connection": .connection,
            "cookie": .cookie, "upgrade": .upgrade, "te": .te, "expect": .expect, "accept": .accept, "sec-fetch-mode": .fetchMode,
            "keep-alive": .dropped, "trailer": .dropped, "forwarded": .dropped, "x-request-id": .dropped, "x-real-ip": .dropped,
            // "Proxy" becomes HTTP_PROXY in CGI environments (httpoxy).
            "proxy": .dropped,
        ]
        var prefixes = ["proxy-", "x-forwarded-"]
        for name in ViewerHeaders.reserved {
            if name.hasSuffix("*") { prefixes.append(String(name.dropLast())) } else { known[name] = .dropped }
        }
        return FieldTable(known: known, droppedPrefixes: prefixes)
    }()

    /// For responses: only hop-by-hop fields are dropped.
    static let response = FieldTable(
        known: [
            "content-length": .contentLength, "transfer-encoding": .transferEncoding, "connection": .connection, "upgrade": .upgrade,
            "keep-alive": .dropped, "te": .dropped, "trailer": .dropped,
        ],
        droppedPrefixes: ["proxy-"])
}
