/// One line of what `pre-receive` reads: githooks(5), "<old-oid> SP <new-oid> SP <ref-name> LF".
struct RefUpdate: Sendable, Hashable {
    /// Hex id; nil where the ref is new.
    var old: String?
    /// Hex id; nil where the ref is deleted.
    var new: String?
    /// The full name, such as "refs/heads/main", decoded as UTF-8 with repair: good for comparing and showing only.
    var ref: String

    init(old: String?, new: String?, ref: String) {
        self.old = old
        self.new = new
        self.ref = ref
    }

    /// nil where the line is not such a one.
    init?(line: some Collection<UInt8>) {
        let parts = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let old = Self.objectID(parts[0]), let new = Self.objectID(parts[1]), !parts[2].isEmpty else { return nil }
        self.init(
            old: old.allSatisfy { $0 == "0" } ? nil : old, new: new.allSatisfy { $0 == "0" } ? nil : new,
            ref: String(decoding: parts[2], as: UTF8.self))
    }

    /// "branch x", "tag x" or the full name, without characters that would steer a terminal.
    var title: String {
        let name = String(ref.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(200).map(Character.init))
        if name.hasPrefix("refs/heads/") { return "branch \(name.dropFirst(11))" }
        if name.hasPrefix("refs/tags/") { return "tag \(name.dropFirst(10))" }
        return name
    }

    private static func objectID(_ bytes: some Collection<UInt8>) -> String? {
        let isHex = bytes.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
        return isHex && bytes.count == 40 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
