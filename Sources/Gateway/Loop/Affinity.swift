import NIOCore

/// Hashes that are the same on every event loop and after every restart, so that a viewer stays on one side and replica
/// without anything being remembered. FNV-1a, then mixed, for its own lowest bits are poor.
enum Affinity {
    static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

    static func hash(_ bytes: some Sequence<UInt8>, from seed: UInt64 = seed) -> UInt64 {
        bytes.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    static func hash(_ bytes: Span<UInt8>, _ range: Range<Int>, from seed: UInt64) -> UInt64 {
        var hash = seed
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3 }
        return hash
    }

    /// The finaliser of SplitMix64.
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 to 99; another one for each salt, so that it is not always the same viewers who try what is new.
    static func percentile(_ viewer: UInt64, salt: Int64) -> Int {
        Int(mix(viewer ^ mix(UInt64(bitPattern: salt))) % 100)
    }
}

extension ClientConnection {
    /// Whose request this is: by the session, or for the anonymous by address and browser. The head must still be there.
    func affinity() -> UInt64 {
        let source = inbound
        let bytes = source.readableBytesUInt8Span
        if let cookie = request.viewerCookie(bytes, loop.cookies), !cookie.isEmpty { return Affinity.hash(cookie.utf8) }
        var hash = addressHash
        for line in request.lines where equals(bytes, line.start..<line.colon, "user-agent") {
            hash = Affinity.hash(bytes, line.valueStart..<line.valueEnd, from: hash)
        }
        return hash
    }
}
