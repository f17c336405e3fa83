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

    func has(_ name: String) -> Bool { entries.contains { $0.name == Self.normalise(name) } }

    init() {}

    /// - Throws: `appFailed` naming the line that names a file which is not there.
    init(_ path: String, in tree: Tree) throws(MoorError) { try read(path, in: tree) }

    private mutating func read(_ path: String, in tree: Tree) throws(MoorError) {
        guard files.insert(path).inserted else { return }
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

    private mutating func read(line raw: String, number: Int, of path: String, in tree: Tree) throws(MoorError) {
        var line = raw.trimmed
        if line.hasPrefix("#") || line.isEmpty { return }
        if let comment = line.range(of: " #") { line = line[..<comment.lowerBound].trimmed }
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let options = ["-r": true, "--requirement": true, "-c": true, "--constraint": true, "-e": false, "--editable": false]
        for (option, isInclude) in options {
            guard let value = Self.value(of: option, in: line) else { continue }
            // pip reads what -r and -c name beside the file itself, and every other path from where it is run.
            guard let target = try Self.resolve(value, from: isInclude ? folder : "", path, number) else { return }
            if isInclude {
                guard tree.has(target) else { throw Self.missing(value, path, number) }
                return try read(target, in: tree)
            }
            entries.append(Entry(file: path, line: number, name: nil, text: line))
            return try take(target, value, path, number, tree)
        }
        if line.hasPrefix("-") { return }
        entries.append(Entry(file: path, line: number, name: Self.name(of: line), text: line))
        let subject = line.split(separator: " @ ", maxSplits: 1).last.map { String($0).trimmed } ?? line
        let place = subject.split(separator: ";").first.map { String($0).trimmed } ?? subject
        let isPath =
            place.hasPrefix("./") || place.hasPrefix("../") || place == "." || place.hasPrefix("file:") || place.hasPrefix("/")
            || (!place.contains("://") && [".whl", ".tar.gz", ".zip"].contains { place.hasSuffix($0) })
        guard isPath, let target = try Self.resolve(place, from: "", path, number) else { return }
        try take(target, place, path, number, tree)
    }

    private mutating func take(_ target: String, _ written: String, _ path: String, _ number: Int, _ tree: Tree) throws(MoorError) {
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
