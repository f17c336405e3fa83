/// Small files as a tar: POSIX ustar (IEEE Std 1003.1, pax) with fixed times and owners, so that the same files give the
/// same bytes. Trees of any size are streamed by `SourceTree.tar`.
package enum TarArchive {
    package static func bytes(of files: [TarFile]) -> [UInt8] {
        var bytes: [UInt8] = []
        for file in files { append(file, to: &bytes) }
        return bytes + [UInt8](repeating: 0, count: 1024)
    }

    /// One file's header and padded contents.
    package static func append(_ file: TarFile, to bytes: inout [UInt8]) {
        var name = Array(file.path.utf8)
        if name.count > 100 {
            // A pax header before it carries the whole path; its own name is cut then and read by nobody.
            let record = paxRecord("path", file.path)
            bytes += header(name: Array("pax".utf8), size: record.count, mode: 0o644, type: UInt8(ascii: "x"))
            bytes += padded(record)
            name = Array(name.suffix(100))
        }
        bytes += header(name: name, size: file.contents.count, mode: file.isExecutable ? 0o755 : 0o644, type: UInt8(ascii: "0"))
        bytes += padded(file.contents)
    }

    /// "length path=value\n", the length counting itself.
    private static func paxRecord(_ key: String, _ value: String) -> [UInt8] {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count
        while "\(length)".utf8.count + rest.utf8.count != length { length = "\(length)".utf8.count + rest.utf8.count }
        return Array("\(length)\(rest)".utf8)
    }

    private static func padded(_ contents: [UInt8]) -> [UInt8] {
        contents + [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
    }

    private static func header(name: [UInt8], size: Int, mode: Int, type: UInt8) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], at offset: Int) { block.replaceSubrange(offset..<(offset + bytes.count), with: bytes) }
        func octal(_ value: Int, _ width: Int) -> [UInt8] {
            let digits = Array(String(value, radix: 8).utf8)
            return [UInt8](repeating: UInt8(ascii: "0"), count: max(0, width - digits.count)) + digits
        }
        put(name, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(0, 11), at: 136)
        put([type], at: 156)
        put(Array("ustar".utf8), at: 257)
        put(Array("00".utf8), at: 263)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + [0, UInt8(ascii: " ")], at: 148)
        return block
    }
}
