/// An IPv4 network (RFC 4632).
struct Subnet: Hashable, Sendable, CustomStringConvertible {
    let base: UInt32
    /// Bits of the network's part, 0 to 32.
    let length: Int

    init(base: UInt32, length: Int) {
        self.length = length
        self.base = base & Subnet.mask(length)
    }

    /// "10.1.2.0/24"; nil where it is none.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = Int(parts[1]), (0...32).contains(length), let base = Subnet.address(parts[0]) else {
            return nil
        }
        self.init(base: base, length: length)
    }

    static func address(_ text: some StringProtocol) -> UInt32? {
        let bytes = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        return bytes.count == 4 ? bytes.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    static func mask(_ length: Int) -> UInt32 { length == 0 ? 0 : ~UInt32(0) << (32 - UInt32(length)) }

    static func text(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> $0 & 255) }.joined(separator: ".")
    }

    func overlaps(_ other: Subnet) -> Bool {
        let mask = Subnet.mask(min(length, other.length))
        return base & mask == other.base & mask
    }

    /// The host's address in it: the first.
    var gateway: String { Subnet.text(base + 1) }
    var description: String { "\(Subnet.text(base))/\(length)" }

    /// A free /24 of the pool.
    /// - Parameters:
    ///   - seed: where to begin, so that two platforms, who cannot see each other's networks before they are live,
    ///     seldom try the same.
    ///   - taken: every network in use on this host.
    static func free(in pool: Subnet, seed: UInt64, taken: [Subnet]) -> Subnet? {
        let count = pool.length >= 24 ? 1 : 1 << (24 - pool.length)
        for step in 0..<count {
            let index = (Int(seed % UInt64(count)) + step) % count
            let candidate = Subnet(base: pool.base + UInt32(index) << 8, length: 24)
            if !taken.contains(where: candidate.overlaps) { return candidate }
        }
        return nil
    }

    /// The networks of /proc/net/route (proc(5)), but the default route.
    static func routes(_ table: String) -> [LiveSubnet] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: "\t").map { $0.filter { $0 != " " } }
            guard fields.count > 7, let base = UInt32(fields[1], radix: 16), let mask = UInt32(fields[7], radix: 16), mask != 0 else {
                return nil
            }
            return LiveSubnet(interface: fields[0], subnet: Subnet(base: base.byteSwapped, length: mask.nonzeroBitCount))
        }
    }
}

/// A network that this host routes to.
struct LiveSubnet: Hashable, Sendable {
    var interface: String
    var subnet: Subnet
}
