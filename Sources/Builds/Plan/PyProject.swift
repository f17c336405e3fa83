import Foundation
import Models

/// What of a `pyproject.toml` decides how it is built (PEP 518, PEP 621, uv's and Poetry's own tables).
struct PyProject: Sendable, Hashable {
    static let file = "pyproject.toml"

    /// It names a build system: the repository is a package that is installed itself.
    var isPackage = false
    /// Its dependencies depend on more files than this one.
    var needsWholeTree = false
    /// The dependencies of `[project]`, for recognising what is asked for already and for error messages.
    var requirements = Requirements()
    /// `requires-python`, or Poetry's `python`.
    var python: PythonVersion?
    /// A dependency of uv's own tables is fetched with git.
    var usesGit = false
    /// Of `[project]`.
    var name: String?
    var poetry: Poetry?

    /// `[tool.poetry]`.
    struct Poetry: Sendable, Hashable {
        /// The main group, without optional ones; empty where `[project]` has them.
        var dependencies: [Dependency] = []
        /// In the order of their weight; those that are for the packages which name them are not among them.
        var indexes: [PythonIndex] = []
        /// Those, by the packages' normalised names.
        var bound: [String: PythonIndex] = [:]
        /// Addresses of what a lock must not add to `indexes`.
        var explicit: Set<String> = []
        /// It names the folders to install, so that none has to be looked for.
        var namesPackages = false
        var name: String?
    }

    /// As Poetry writes it.
    struct Dependency: Sendable, Hashable {
        var name: String
        var line: Int
        var extras: [String] = []
        var version = "*"
        var python: String?
        var markers: String?
        /// "git+https://…", "https://…" or "./packages/mine".
        var source: String?
    }

    /// - Throws: `appFailed` naming the line that is not TOML.
    init(_ text: String) throws(MoorError) {
        let root = try TOMLReader.read(text, file: Self.file)
        isPackage = root["build-system"] != nil
        if root["tool", "uv", "package"]?.boolean == false { isPackage = false }
        if let project = root["project"]?.table { try read(project: project) }
        if let uv = root["tool", "uv"]?.table { read(uv: uv) }
        if let poetry = root["tool", "poetry"]?.table { self.poetry = try read(poetry: poetry, root) }
    }

    private mutating func read(project: TOMLTable) throws(MoorError) {
        name = project["name"]?.string
        if let dynamic = project["dynamic"]?.array, dynamic.contains(where: { $0.string == "dependencies" }) { needsWholeTree = true }
        for node in project["dependencies"]?.array ?? [] {
            guard let text = node.string else { continue }
            try Requirements.checkScheme(text, Self.file, node.line)
            try Requirements.checkQuery(text, Self.file, node.line)
            requirements.entries.append(.init(file: Self.file, line: node.line, name: Requirements.name(of: text), text: text))
        }
        if let node = project["requires-python"], let text = node.string {
            let place = "\(Self.file) line \(node.line)"
            python = PythonVersion.specifier(text, place) ?? PythonVersion.exact(text.trimmed, place)
        }
    }

    private mutating func read(uv: TOMLTable) {
        if uv["workspace"] != nil { needsWholeTree = true }
        for (_, node) in uv["sources"]?.table?.pairs ?? [] {
            for table in node.array?.compactMap(\.table) ?? [node.table].compactMap(\.self) {
                if table["path"] != nil || table["workspace"] != nil { needsWholeTree = true }
                if table["git"] != nil { usesGit = true }
            }
        }
    }

    private mutating func read(poetry table: TOMLTable, _ root: TOMLTable) throws(MoorError) -> Poetry {
        var poetry = Poetry()
        poetry.name = table["name"]?.string
        poetry.namesPackages = table["packages"] != nil
        if table["package-mode"]?.boolean == false { isPackage = false }
        var (main, others, explicit): ([PythonIndex], [PythonIndex], [PythonIndex]) = ([], [], [])
        for source in (table["source"]?.array ?? []).compactMap(\.table) {
            let name = source["name"]?.string
            let index = try source["url"]?.string.map { url throws(MoorError) in try PythonIndex(name: name, url: url, Self.file) }
            switch source["priority"]?.string {
            case "primary", "default", nil: main.append(index ?? .pypi)
            case "explicit": if let index { explicit.append(index) }
            default: others.append(index ?? .pypi)
            }
        }
        poetry.indexes = (main.isEmpty ? [.pypi] : main) + others + explicit.filter { !$0.mayBeBound }
        poetry.explicit = Set(explicit.filter(\.mayBeBound).map(\.url))
        for (name, node) in table["dependencies"]?.table?.pairs ?? [] {
            if name == "python" {
                let place = "\(Self.file) line \(node.line)"
                if python == nil, let written = node.string {
                    python =
                        PythonVersion.exact(written, place)
                        ?? PoetryVersion.specifier(written).flatMap { PythonVersion.specifier($0, place) }
                }
                continue
            }
            // Also beside [project], which says what is wanted, and this where from.
            for one in node.array ?? [node] {
                guard let wanted = one.table?["source"]?.string else { continue }
                poetry.bound[Requirements.normalise(name)] = (explicit + main + others).first { $0.name == wanted && $0.mayBeBound }
            }
            guard root["project", "dependencies"] == nil else { continue }
            for one in node.array ?? [node] {
                if let dependency = try Self.dependency(name, one) { poetry.dependencies.append(dependency) }
            }
        }
        return poetry
    }

    private static func dependency(_ name: String, _ node: TOMLNode) throws(MoorError) -> Dependency? {
        var dependency = Dependency(name: name, line: node.line)
        if let version = node.string {
            dependency.version = version
            return dependency
        }
        guard let table = node.table else {
            throw MoorError(
                .appFailed, "\(file) line \(node.line): \(name) is neither a version nor a table", hint: "write it as \(name) = \"*\"")
        }
        if table["optional"]?.boolean == true { return nil }
        dependency.version = table["version"]?.string ?? "*"
        dependency.extras = (table["extras"]?.array ?? []).compactMap(\.string)
        dependency.python = table["python"]?.string
        dependency.markers = table["markers"]?.string
        if let git = table["git"]?.string {
            let revision = ["rev", "tag", "branch"].lazy.compactMap { table[$0]?.string }.first
            dependency.source = "git+\(git)" + (revision.map { "@\($0)" } ?? "")
            if let folder = table["subdirectory"]?.string { dependency.source? += "#subdirectory=\(folder)" }
            try Requirements.checkScheme(dependency.source ?? "", file, node.line)
        } else {
            dependency.source = table["url"]?.string ?? (table["path"] ?? table["file"])?.string
        }
        return dependency
    }
}

/// Poetry's version constraints ("Dependency specification" in its documentation) as PEP 440 writes them.
enum PoetryVersion {
    /// - Returns: "" for any version; nil for what PEP 440 has no words for, such as "^1 || ^2".
    static func specifier(_ text: String) -> String? {
        if text.contains("|") { return nil }
        var joined = text.trimmed
        // ">= 1.0" is one clause, ">=1.0 <2" is two.
        for sign in ["=", "<", ">", "^", "~", "!"] {
            while joined.contains(sign + " ") { joined = joined.replacingOccurrences(of: sign + " ", with: sign) }
        }
        var clauses: [String] = []
        for part in joined.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init) where part != "*" {
            guard let clause = clause(part) else { return nil }
            clauses.append(clause)
        }
        return clauses.joined(separator: ",")
    }

    private static func clause(_ text: String) -> String? {
        for sign in ["===", "==", "!=", ">=", "<=", "~=", ">", "<"] where text.hasPrefix(sign) {
            return numbers(text.dropFirst(sign.count)) == nil ? nil : text
        }
        if text.hasPrefix("^") || text.hasPrefix("~") {
            let written = text.dropFirst()
            guard let parts = numbers(written) else { return nil }
            let kept: Int
            if text.hasPrefix("~") {
                kept = min(2, parts.count)
            } else {
                // The first number that is not zero may not change; of zeros alone the last that is written.
                kept = (parts.firstIndex { $0 != 0 } ?? parts.count - 1) + 1
            }
            var limit = Array(parts.prefix(kept))
            limit[kept - 1] += 1
            return ">=\(written),<\(limit.map(String.init).joined(separator: "."))"
        }
        return numbers(text[...]) == nil ? nil : "==\(text)"
    }

    /// The release part of a version; nil where it does not begin with one.
    private static func numbers(_ text: Substring) -> [Int]? {
        var parts: [Int] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false).prefix(4) {
            // One is added to some of them.
            guard let number = Int(part.prefix { $0.isASCII && $0.isNumber }), number < 1_000_000_000 else { break }
            parts.append(number)
        }
        return parts.isEmpty ? nil : parts
    }

    /// A constraint on Python as a marker (PEP 508); nil where it cannot be told.
    static func marker(_ python: String) -> String? {
        guard let specifier = specifier(python) else { return nil }
        return specifier.split(separator: ",").map { clause in
            let sign = clause.prefix { "=<>!~".contains($0) }
            var version = clause.dropFirst(sign.count)
            if version.hasSuffix(".*") { version = version.dropLast(2) }
            let name = version.split(separator: ".").count > 2 ? "python_full_version" : "python_version"
            return "\(name) \(sign) \"\(version)\""
        }.joined(separator: " and ")
    }
}
