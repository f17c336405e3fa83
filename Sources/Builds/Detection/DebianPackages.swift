import Models

/// Debian packages that a repository asks for: `apt-packages` (Dash Enterprise), `Aptfile` (Heroku), `packages.txt`
/// (Streamlit); one or more names a line, "#" begins a comment.
enum DebianPackages {
    static let files = ["apt-packages", "Aptfile", "packages.txt"]

    /// Sorted, each once.
    /// - Throws: `appFailed` naming file and line.
    static func read(_ tree: Tree) throws(MoorError) -> [String] { try places(tree).keys.sorted() }

    /// The names, with or without a version, and where each is asked for first: "Aptfile line 2".
    static func places(_ tree: Tree) throws(MoorError) -> [String: String] {
        var places: [String: String] = [:]
        for file in files where tree.has(file) {
            for (number, raw) in try tree.text(file).numberedLines {
                for word in raw.prefix(while: { $0 != "#" }).split(whereSeparator: \.isWhitespace) {
                    guard isName(word) else {
                        throw MoorError(
                            .appFailed, "\(file) line \(number): “\(word.prefix(100))” is not the name of a Debian package",
                            hint:
                                "names are of lower-case letters, digits, +, - and ., such as libgdal-dev; archives of others cannot be added"
                        )
                    }
                    if places[String(word)] == nil { places[String(word)] = "\(file) line \(number)" }
                }
            }
        }
        return places
    }

    /// Where a package is asked for, in whichever version.
    static func place(of name: String, in tree: Tree) -> String? {
        let places = (try? places(tree)) ?? [:]
        return places[name] ?? places.first { $0.key.hasPrefix(name + "=") }?.value
    }

    /// Debian Policy section 5.6.1, and a version as apt-get(8) takes it.
    private static func isName(_ word: Substring) -> Bool {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        func isLowerAlphanumeric(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) }
        // A name that ends in - would be removed by apt-get.
        guard let first = parts[0].utf8.first, parts[0].utf8.last != 0x2D, isLowerAlphanumeric(first), parts[0].utf8.count >= 2,
            parts[0].utf8.allSatisfy({ isLowerAlphanumeric($0) || "+-.".utf8.contains($0) }), word.utf8.count <= 200
        else { return false }
        return parts.count == 1
            || (!parts[1].isEmpty
                && parts[1].utf8.allSatisfy { isLowerAlphanumeric($0) || (0x41...0x5A).contains($0) || "+-.~:".utf8.contains($0) })
    }
}
