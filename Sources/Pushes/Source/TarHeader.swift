/// Headers of a POSIX tar (IEEE Std 1003.1, pax, "ustar Interchange Format" and "pax Extended Header").
enum TarHeader {
    enum Kind: UInt8 {
        case file = 0x30
        case symlink = 0x32
        case folder = 0x35
        case extended = 0x78
    }

    static let blockSize = 512

    /// The header blocks of one entry, with an extended header before it where its path, target or size needs one.
    /// - Parameter time: seconds since 1970.
    static func blocks(path: [UInt8], kind: Kind, mode: Int, size: Int64, time: Int64, target: [UInt8] = []) -> [UInt8] {
        var records: [UInt8] = []
        // Names that are not UTF-8 have no place in a record; they are written as they are, as git-archive(1) does.
        let split = isPlain(path) || !isUTF8(path) ? ustar(path) : nil
        if split == nil { records += record("path", path) }
        let targetFits = (isPlain(target) || !isUTF8(target)) && target.count <= 100
        if !targetFits { records += record("linkpath", target) }
        if size > 0o77777777777 { records += record("size", Array(String(size).utf8)) }
        var blocks: [UInt8] = []
        if !records.isEmpty {
            blocks += header(
                prefix: [], name: Array("pax".utf8), kind: .extended, mode: 0o644, size: Int64(records.count), time: time, target: [])
            blocks += padded(records)
        }
        blocks += header(
            prefix: split?.prefix ?? [], name: split?.name ?? Array(path.suffix(100)), kind: kind, mode: mode,
            size: min(size, 0o77777777777), time: time, target: targetFits ? target : Array(target.prefix(100)))
        return blocks
    }

    /// Zeros up to the next block.
    static func padding(for size: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((Int64(blockSize) - size % Int64(blockSize)) % Int64(blockSize)))
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + padding(for: Int64(bytes.count)) }

    private static func isPlain(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    /// The path as prefix and name, divided at a slash; nil where it fits neither way.
    private static func ustar(_ path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        if path.count <= 100 { return ([], path) }
        for index in path.indices where path[index] == 0x2F && index > 0 && index <= 155 {
            let name = path[(index + 1)...]
            if !name.isEmpty && name.count <= 100 { return (Array(path[..<index]), Array(name)) }
        }
        return nil
    }

    /// "length SP keyword=value LF", where the length counts itself.
    private static func record(_ keyword: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(keyword)=".utf8) + value + [0x0A]
        var length = rest.count
        while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
        return Array(String(length).utf8) + rest
    }

    private static func header(
        prefix: [UInt8], name: [UInt8], kind: Kind, mode: Int, size: Int64, time: Int64, target: [UInt8]
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockSize)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) { block.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
        func octal(_ value: Int64, width: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array((String(repeating: "0", count: width - 1 - digits.count) + digits).utf8) + [0]
        }
        put(name, at: 0)
        put(octal(Int64(mode), width: 8), at: 100)
        put(octal(0, width: 8), at: 108)
        put(octal(0, width: 8), at: 116)
        put(octal(size, width: 12), at: 124)
        put(octal(time, width: 12), at: 136)
        put([UInt8](repeating: 0x20, count: 8), at: 148)
        block[156] = kind.rawValue
        put(target, at: 157)
        put("ustar\u{0}00".utf8, at: 257)
        put("root".utf8, at: 265)
        put("root".utf8, at: 297)
        put(octal(0, width: 8), at: 329)
        put(octal(0, width: 8), at: 337)
        put(prefix, at: 345)
        let sum = block.reduce(0) { $0 + Int64($1) }
        put(octal(sum, width: 7) + [0x20], at: 148)
        return block
    }
}
