import Foundation
import Models

/// `poetry.lock` and Poetry's part of `pyproject.toml` as requirements and the versions they are held to.
///
/// What is asked for goes to uv as requirements, what is locked as constraints: so the markers along the way are weighed by
/// uv, and locks of all of Poetry's versions, which note groups differently or not at all, give the same result.
struct PoetryInputs: Sendable {
    var requirements: [PythonRequirement] = []
    var constraints: [PythonRequirement] = []
    var indexes: [PythonIndex] = []
    var paths: [(path: String, line: Int)] = []
    var notes: [String] = []
    private var bound: [String: PythonIndex] = [:]
    private var explicit: Set<String> = []

    /// - Parameter lock: nil where there is none.
    /// - Throws: `appFailed` naming file and line.
    init(_ project: PyProject, lock: String?) throws(MoorError) {
        indexes = project.poetry?.indexes ?? []
        (bound, explicit) = (project.poetry?.bound ?? [:], project.poetry?.explicit ?? [])
        var located: Set<String> = []
        var locked: Set<String> = []
        if let lock {
            let root = try TOMLReader.read(lock, file: Self.file)
            let packages = (root["package"]?.array ?? []).compactMap { node in node.table.map { ($0, node.line) } }
            guard root["metadata"] != nil else {
                throw MoorError(.appFailed, "\(Self.file) is not a lock of Poetry's", hint: "make it anew with: poetry lock")
            }
            let versions = Dictionary(grouping: packages) { Requirements.normalise($0.0["name"]?.string ?? "") }
            for (table, line) in packages {
                let name = Requirements.normalise(table["name"]?.string ?? "")
                locked.insert(name)
                if try pin(table, line, name, isOneOfSeveral: versions[name]?.count ?? 0 > 1, root) { located.insert(name) }
            }
        }
        for entry in project.requirements.entries {
            try ask(entry, isLocated: located.contains(entry.name ?? ""))
            try check(entry.name ?? "", entry.line, locked, lock != nil)
        }
        for dependency in project.poetry?.dependencies ?? [] {
            let name = Requirements.normalise(dependency.name)
            try ask(dependency, isLocated: located.contains(name), isLocked: lock != nil)
            try check(name, dependency.line, locked, lock != nil)
        }
    }

    static let file = "poetry.lock"

    private func check(_ name: String, _ line: Int, _ locked: Set<String>, _ isLocked: Bool) throws(MoorError) {
        guard isLocked, !name.isEmpty, !locked.contains(name) else { return }
        throw MoorError(
            .appFailed, "\(PyProject.file) line \(line): \(name) is not in \(Self.file), which is older",
            hint: "run poetry lock, and commit \(Self.file)")
    }

    // MARK: What is locked

    /// - Returns: whether it comes from a place of its own and not from an index.
    private mutating func pin(
        _ table: TOMLTable, _ line: Int, _ name: String, isOneOfSeveral: Bool, _ root: TOMLTable
    ) throws(MoorError) -> Bool {
        guard let version = table["version"]?.string, !name.isEmpty else {
            throw MoorError(
                .appFailed, "\(Self.file) line \(line): a package has no name or version", hint: "make it anew with: poetry lock")
        }
        var pin = PythonRequirement(name: name, file: Self.file, line: line)
        pin.specifier = "==\(version)"
        let files = table["files"]?.array ?? root["metadata", "files", table["name"]?.string ?? ""]?.array ?? []
        pin.hashes = files.compactMap { $0.table?["hash"]?.string }
        if isOneOfSeveral {
            let markers = table["markers"]
            guard let marker = markers?.string ?? markers?.table?["main"]?.string else {
                notes.append(
                    "\(Self.file) has several versions of \(name) and does not say which is for whom: the newest that fits is taken")
                return false
            }
            pin.marker = marker
        }
        let source = table["source"]?.table
        let url = source?["url"]?.string ?? ""
        switch source?["type"]?.string {
        case "git":
            let revision = source?["resolved_reference"]?.string ?? source?["reference"]?.string
            pin.url = "git+\(url)" + (revision.map { "@\($0)" } ?? "")
            if let folder = source?["subdirectory"]?.string { pin.url? += "#subdirectory=\(folder)" }
            try Requirements.checkScheme(pin.url ?? "", Self.file, line)
        case "url": pin.url = url
        case "directory", "file":
            let path = try Requirements.inRepository(url, Self.file, line)
            paths.append((path, line))
            pin.url = "file:///app" + (path.isEmpty ? "" : "/\(path)")
            pin.hashes = []
        case "legacy":
            if !url.isEmpty, !explicit.contains(url), !indexes.contains(where: { $0.url == url }) {
                indexes.append(try PythonIndex(name: source?["reference"]?.string, url: url, Self.file))
            }
        default: break
        }
        if pin.url != nil {
            pin.specifier = ""
            // A fetched commit or folder has no archive that could have been hashed.
            if source?["type"]?.string != "url" { pin.hashes = [] }
        }
        try add(pin, to: \.constraints)
        return pin.url != nil
    }

    // MARK: What is asked for

    private mutating func ask(_ entry: Requirements.Entry, isLocated: Bool) throws(MoorError) {
        var requirement = PythonRequirement(name: entry.name ?? "", file: entry.file, line: entry.line)
        let halves = entry.text.split(separator: ";", maxSplits: 1).map { String($0).trimmed }
        if halves.count == 2 { requirement.marker = halves[1] }
        var rest = (halves.first ?? "").drop { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }.trimmed
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            requirement.extras = rest[..<end].dropFirst().split(separator: ",").map { String($0).trimmed }
            rest = rest[rest.index(after: end)...].trimmed
        }
        if rest.hasPrefix("(") { rest = rest.trimmingCharacters(in: ["(", ")"]) }
        if rest.hasPrefix("@") {
            if !isLocated { requirement.url = rest.dropFirst().trimmed }
        } else {
            requirement.specifier = isLocated ? "" : rest.filter { $0 != " " }
        }
        if requirement.url == nil, !isLocated { requirement.index = bound[entry.name ?? ""] }
        try add(requirement, to: \.requirements)
    }

    private mutating func ask(_ dependency: PyProject.Dependency, isLocated: Bool, isLocked: Bool) throws(MoorError) {
        var requirement = PythonRequirement(
            name: dependency.name, extras: dependency.extras, file: PyProject.file, line: dependency.line)
        var markers = [dependency.markers].compactMap(\.self).filter { !$0.isEmpty }
        if let python = dependency.python, let marker = PoetryVersion.marker(python), !marker.isEmpty { markers.append(marker) }
        requirement.marker = markers.count < 2 ? markers.joined() : markers.map { "(\($0))" }.joined(separator: " and ")
        if let source = dependency.source, !isLocated {
            if source.contains("://") || source.hasPrefix("git+") {
                requirement.url = source
            } else {
                let path = try Requirements.inRepository(source, PyProject.file, dependency.line)
                paths.append((path, dependency.line))
                requirement.url = "file:///app" + (path.isEmpty ? "" : "/\(path)")
            }
        } else if !isLocked {
            guard let specifier = PoetryVersion.specifier(dependency.version) else {
                throw MoorError(
                    .appFailed,
                    "\(PyProject.file) line \(dependency.line): “\(dependency.version)” can only be read by Poetry, and there is no poetry.lock",
                    hint: "run poetry lock, and commit poetry.lock")
            }
            requirement.specifier = specifier
        }
        if requirement.url == nil, !isLocated { requirement.index = bound[Requirements.normalise(dependency.name)] }
        try add(requirement, to: \.requirements)
    }

    private mutating func add(
        _ requirement: PythonRequirement, to list: WritableKeyPath<Self, [PythonRequirement]>
    ) throws(MoorError) {
        guard requirement.isSafe else {
            throw MoorError(
                .appFailed, "\(requirement.file) line \(requirement.line): “\(requirement.name.prefix(60))” cannot be read",
                hint: "write it as a name and a version, such as dash = \"^3.0\", and run poetry lock")
        }
        self[keyPath: list].append(requirement)
    }
}
