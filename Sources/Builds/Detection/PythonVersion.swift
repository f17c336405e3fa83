import Models

/// Which Python an app asks for, and where.
struct PythonVersion: Sendable, Hashable {
    /// As uv takes it: "3.11", or a version specifier (PEP 440) such as ">=3.10,<4".
    var request: String
    /// "runtime.txt line 1"
    var place: String
    /// Said to the pusher.
    var note: String?

    private init(request: String, place: String, note: String? = nil) {
        self.request = request
        self.place = place
        self.note = note
    }

    /// The first of `.python-version`, `runtime.txt` and what the files that were read for the dependencies ask for.
    /// - Parameter others: those, in the order of their weight.
    /// - Throws: `appFailed` naming file and line.
    static func asked(by tree: Tree, others: [PythonVersion?]) throws(MoorError) -> PythonVersion? {
        if tree.has(".python-version"), let version = try versionFile(tree.text(".python-version")) { return version }
        if tree.has("runtime.txt"), let version = try runtime(tree.text("runtime.txt")) { return version }
        return others.compactMap(\.self).first
    }

    private static func versionFile(_ text: String) throws(MoorError) -> PythonVersion? {
        for (number, raw) in text.numberedLines {
            let line = raw.prefix { $0 != "#" }.trimmed
            if line.isEmpty { continue }
            let place = ".python-version line \(number)"
            var word = line
            for prefix in ["cpython@", "cpython-", "python-", "cpython"] where word.hasPrefix(prefix) {
                word = String(word.dropFirst(prefix.count))
                break
            }
            if let version = exact(word, place) { return version }
            if let version = specifier(word, place) { return version }
            throw unknown(line, place, good: "3.11")
        }
        return nil
    }

    private static func runtime(_ text: String) throws(MoorError) -> PythonVersion? {
        for (number, raw) in text.numberedLines where !raw.trimmed.isEmpty {
            let line = raw.trimmed
            let place = "runtime.txt line \(number)"
            let word = line.hasPrefix("python-") ? String(line.dropFirst("python-".count)) : line
            guard let version = exact(word, place) else { throw unknown(line, place, good: "python-3.11") }
            return version
        }
        return nil
    }

    private static func unknown(_ written: String, _ place: String, good: String) -> MoorError {
        MoorError(
            .appFailed, "\(place): “\(written.prefix(60))” is not a version of Python that can be had here",
            hint: "only CPython can be had; write its version as \(good)")
    }

    /// "3.11" and "3.11.7"; of the latter the last number is not insisted on, as bug fixes change nothing an app counts on.
    static func exact(_ text: String, _ place: String) -> PythonVersion? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), parts.allSatisfy({ $0.count <= 3 && Int($0) != nil && $0.utf8.allSatisfy { $0 > 0x2F } })
        else { return nil }
        let request = parts.prefix(2).joined(separator: ".")
        let note = parts.count == 3 ? "\(place) asks for Python \(text): any \(request) is taken, with its newest fixes" : nil
        return PythonVersion(request: request, place: place, note: note)
    }

    /// ">=3.10,<4"; "==3.11.7" is taken as 3.11.
    static func specifier(_ text: String, _ place: String) -> PythonVersion? {
        let clauses = text.split(separator: ",").map { $0.filter { $0 != " " } }
        guard !clauses.isEmpty else { return nil }
        for clause in clauses {
            guard let sign = ["===", "==", "~=", ">=", "<=", "!=", "<", ">"].first(where: clause.hasPrefix) else { return nil }
            let number = clause.dropFirst(sign.count)
            guard number.utf8.first.map({ (0x30...0x39).contains($0) }) == true,
                number.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2E || $0 == 0x2A })
            else { return nil }
            if clauses.count == 1, sign == "==", let version = exact(String(number), place) { return version }
        }
        return PythonVersion(request: clauses.joined(separator: ","), place: place)
    }

    /// For the command line of a shell: what it is made of needs no more than quotes.
    var argument: String { "'\(request)'" }
}
