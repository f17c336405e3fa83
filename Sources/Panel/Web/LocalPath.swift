/// Where a browser may be sent after a sign-in: a path on the same host, never another one.
enum LocalPath {
    /// - Returns: `path` where every browser reads it as a path on this host, else nil. "//host" and "/\host" name other
    ///   hosts (WHATWG URL section 4.4), and tabs or line breaks are dropped before a URL is read, so neither is taken.
    static func accept(_ path: String?) -> String? {
        guard let path, path.utf8.count <= 4_096, path.hasPrefix("/"), !path.hasPrefix("//"), !path.hasPrefix("/\\"),
            path.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value < 0x7F && $0 != "\\" })
        else { return nil }
        return path
    }
}
