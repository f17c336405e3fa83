import Foundation
import Models

/// A `requirements.txt` and everything it names, as far as it matters for the dependency layer and for error messages.
/// The format is pip's ("Requirements File Format" in its documentation).
struct Requirements: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        var file: String
        var line: Int
        /// Normalised as PEP 503 says; nil for a path or URL without a name.
        var name: String?
        /// The line as it is written.
        var text: String
    }

    var entries: [Entry] = []
    /// Paths of files that belong to the dependency layer, the requirements files included.
    var files: Set<String> = []
    /// Folders of the repository that are installed as packages; "" is the whole of it.
    var folders: Set<String> = []
    /// Options of the files that uv takes only on its command line, as it spells them.
    var flags: [String] = []

    /// Names in `${…}`, which uv fills from the build's environment, with their places ("requirements.txt line 3").
    private(set) var variables: [Variable] = []

    struct Variable: Sendable, Hashable {
        var name: String
        var place: String
    }

    /// The first requirement that is fetched with git, which is then needed in the build.
    var fetchedWithGit: Entry? { entries.first { $0.text.contains("git+") } }

    func has(_ name: String) -> Bool { entries.contains { $0.name == Self.normalise(name) } }

    init() {}

    /// - Throws: `appFailed` naming the line that names a file which is not there.
    init(_ path: String, in tree: Tree) throws(MoorError) { try read(path, in: tree) }

    mutating func read(_ path: String, in tree: Tree) throws(MoorError) {
        guard files.insert(path).inserted else { return }
        guard files.count <= 200 else {
            throw MoorError(.appFailed, "\(path): more than 200 files name each other", hint: "put the packages into fewer files")
        }
        var pending: (number: Int, text: String)?
        for (number, raw) in try tree.text(path).numberedLines {
            var line = (number: pending?.number ?? number, text: (pending?.text ?? "") + raw)
            if raw.hasSuffix("\\") {
                line.text.removeLast()
                pending = line
                continue
            }
            pending = nil
            try read(line: line.text, number: line.number, of: path, in: tree)
        }
    }

    mutating func read(line raw: String, number: Int, of path: String, in tree: Tree) throws(MoorError) {
        var line = raw.trimmed
        if line.hasPrefix("#") || line.isEmpty { return }
        try Self.checkQuery(line, path, number)
        if let comment = line.range(of: " #") { line = line[..<comment.lowerBound].trimmed }
        addVariables(of: line, "\(path) line \(number)")
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let options = ["-r": true, "--requirement": true, "-c": true, "--constraint": true, "-e": false, "--editable": false]
        for (option, isInclude) in options {
            guard let value = Self.value(of: option, in: line) else { continue }
            if !isInclude, value.contains("://") {
                try Self.checkScheme(value, path, number)
                entries.append(Entry(file: path, line: number, name: Self.egg(value), text: value))
                return
            }
            // pip reads what -r and -c name beside the file itself, and every other path from where it is run.
            guard let target = try Self.resolve(value, from: isInclude ? folder : "", path, number) else { return }
            if isInclude {
                guard tree.has(target) else { throw Self.missing(value, path, number) }
                return try read(target, in: tree)
            }
            entries.append(Entry(file: path, line: number, name: nil, text: line))
            return try take(target, value, path, number, tree)
        }
        if line.hasPrefix("-") { return try readOption(line, number, path, tree) }
        try Self.checkScheme(line, path, number)
        entries.append(Entry(file: path, line: number, name: Self.name(of: line), text: line))
        let subject = line.split(separator: " @ ", maxSplits: 1).last.map { String($0).trimmed } ?? line
        let place = subject.split(separator: ";").first.map { String($0).trimmed } ?? subject
        let isPath =
            place.hasPrefix("./") || place.hasPrefix("../") || place == "." || place.hasPrefix("file:") || place.hasPrefix("/")
            || (!place.contains("://") && [".whl", ".tar.gz", ".zip"].contains { place.hasSuffix($0) })
        guard isPath, let target = try Self.resolve(place, from: "", path, number) else { return }
        try take(target, place, path, number, tree)
    }

    private mutating func readOption(_ line: String, _ number: Int, _ path: String, _ tree: Tree) throws(MoorError) {
        if line == "--pre" { flags.append("--prerelease=allow") }
        if let host = Self.value(of: "--trusted-host", in: line),
            host.utf8.allSatisfy({ "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:_-".utf8.contains($0) }), !host.isEmpty
        {
            flags.append("--allow-insecure-host=\(host)")
        }
        for option in ["-f", "--find-links"] {
            guard let value = Self.value(of: option, in: line) else { continue }
            guard let target = try Self.resolve(value, from: "", path, number) else { return }
            try take(target, value, path, number, tree)
        }
    }

    /// The query of a URL is kept beside what was fetched from it; a login is not.
    static func checkQuery(_ text: String, _ file: String, _ line: Int) throws(MoorError) {
        guard let query = text.firstIndex(of: "?"), text[query...].contains("${") else { return }
        throw MoorError(
            .appFailed, "\(file) line \(line): a value in a URL's query would be kept in the image",
            hint: "put it before the host, as in https://user:${TOKEN}@host/package.whl, or use --extra-index-url")
    }

    /// What uv cannot fetch, or builds have no key for.
    static func checkScheme(_ text: String, _ file: String, _ line: Int) throws(MoorError) {
        for scheme in ["hg+", "svn+", "bzr+"] where text.hasPrefix(scheme) || text.contains("@ \(scheme)") {
            throw MoorError(
                .appFailed, "\(file) line \(line): “\(text.prefix(120))” is not fetched with git, the only such program builds have",
                hint: "name a release of the package, or its https archive")
        }
        guard text.contains("git+ssh://") || text.contains("git+git@") || text.hasPrefix("git@") else { return }
        throw MoorError(
            .appFailed, "\(file) line \(line): “\(text.prefix(120))” is fetched over ssh, for which builds have no key",
            hint: "write git+https://… in its place, with a token from the build-time config where it needs one")
    }

    /// "#egg=name" of a URL.
    private static func egg(_ url: String) -> String? {
        url.range(of: "#egg=").flatMap { name(of: String(url[$0.upperBound...])) }
    }

    /// The text as uv takes it: pip installs what `-e git+…` names, uv wants it without the `-e`.
    static func forUV(_ text: String) -> String {
        guard text.contains("git+") else { return text }
        return text.numberedLines.map { line in
            for option in ["-e", "--editable"] {
                if let value = value(of: option, in: line.text.trimmed), value.hasPrefix("git+") { return value }
            }
            return line.text
        }.joined(separator: "\n")
    }

    /// As pip takes them: capitals, digits and underscores.
    mutating func addVariables(of text: String, _ place: String) {
        var rest = text[...]
        while let start = rest.range(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = String(rest[start.upperBound..<end])
            rest = rest[end...]
            let isName = name.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
            if !name.isEmpty, isName, !variables.contains(where: { $0.name == name }) { variables.append(.init(name: name, place: place)) }
        }
    }

    mutating func take(_ target: String, _ written: String, _ path: String, _ number: Int, _ tree: Tree) throws(MoorError) {
        if tree.has(target) {
            files.insert(target)
        } else if tree.hasFolder(target) {
            folders.insert(target)
        } else {
            throw Self.missing(written, path, number)
        }
    }

    private static func missing(_ name: String, _ file: String, _ line: Int) -> MoorError {
        MoorError(
            .appFailed, "\(file) line \(line): \(name) is not in the repository", hint: "commit it (git add \(name)), or take the line out")
    }

    /// "-r x", "-rx", "--requirement x" and "--requirement=x".
    private static func value(of option: String, in line: String) -> String? {
        guard line.hasPrefix(option) else { return nil }
        let rest = line.dropFirst(option.count)
        if option.hasPrefix("--") {
            guard let first = rest.first, first == "=" || first == " " || first == "\t" else { return nil }
            return rest.dropFirst().trimmed
        }
        return rest.isEmpty ? nil : rest.trimmed
    }

    /// The path of what a file in the root names as a path of the repository.
    /// - Throws: `appFailed` where it lies outside.
    static func inRepository(_ written: String, _ file: String, _ line: Int) throws(MoorError) -> String {
        try resolve(written, from: "", file, line) ?? ""
    }

    /// The path from the repository's root; nil for a URL.
    private static func resolve(_ written: String, from folder: String, _ file: String, _ line: Int) throws(MoorError) -> String? {
        var path = written.trimmingCharacters(in: ["\"", "'"])
        for scheme in ["file://", "file:"] where path.hasPrefix(scheme) { path = String(path.dropFirst(scheme.count)) }
        if path.contains("://") || path.hasPrefix("git+") { return nil }
        if let extras = path.firstIndex(of: "[") { path = String(path[..<extras]) }
        guard !path.hasPrefix("/") else {
            throw MoorError(
                .appFailed, "\(file) line \(line): \(written) is a path of your own machine",
                hint: "write it as a path within the repository, such as ./packages/mine")
        }
        var parts: [Substring] = folder.split(separator: "/")
        for part in path.split(separator: "/") where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else {
                    throw MoorError(
                        .appFailed, "\(file) line \(line): \(written) lies outside the repository",
                        hint: "move what it names into the repository")
                }
            } else {
                parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }

    /// The project name at the start of a requirement (PEP 508), normalised.
    static func name(of line: String) -> String? {
        let name = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == ".") }
        guard let first = name.first, first.isLetter || first.isNumber, !line.dropFirst(name.count).hasPrefix(":"),
            !line.dropFirst(name.count).hasPrefix("+"), !line.dropFirst(name.count).hasPrefix("/")
        else { return nil }
        return normalise(String(name))
    }

    /// PEP 503: lower case, runs of "-", "_" and "." as one "-".
    static func normalise(_ name: String) -> String {
        name.lowercased().split(omittingEmptySubsequences: true) { $0 == "-" || $0 == "_" || $0 == "." }.joined(separator: "-")
    }
}
