import Models

/// `Pipfile.lock` and `Pipfile` (Pipenv) as requirements.
struct PipfileInputs: Sendable {
    var requirements: [PythonRequirement] = []
    /// Package indexes, the default one first.
    var indexes: [PythonIndex] = []
    var python: PythonVersion?
    /// Paths of the repository that are installed, with their places.
    var paths: [(path: String, line: Int)] = []

    // MARK: Pipfile.lock

    /// The `default` section, exactly as it is pinned.
    /// - Throws: `appFailed` naming the line.
    init(lock text: String) throws(MoorError) {
        let file = "Pipfile.lock"
        let root = try JSONReader.read(text, file: file)
        guard let packages = root["default"]?.members else {
            throw MoorError(.appFailed, "\(file) has no packages under “default”", hint: "make it anew with: pipenv lock")
        }
        for source in root["_meta"]?["sources"]?.array ?? [] {
            if let url = source["url"]?.string { indexes.append(try PythonIndex(name: source["name"]?.string, url: url, file)) }
        }
        if let wanted = root["_meta"]?["requires"], let node = wanted["python_full_version"] ?? wanted["python_version"] {
            python = node.string.flatMap { PythonVersion.exact($0, "\(file) line \(node.line)") }
        }
        for (name, node) in packages {
            var requirement = PythonRequirement(name: name, file: file, line: node.line)
            requirement.extras = (node["extras"]?.array ?? []).compactMap(\.string)
            requirement.marker = node["markers"]?.string ?? ""
            if let version = node["version"]?.string {
                requirement.specifier = version == "*" ? "" : version
                requirement.hashes = (node["hashes"]?.array ?? []).compactMap(\.string)
            } else {
                try place(&requirement, file) { node[$0]?.string }
            }
            bind(&requirement, node["index"]?.string)
            try add(requirement, anew: "pipenv lock")
        }
        dropBound()
    }

    // MARK: Pipfile

    /// The `packages` section, as loose as it is.
    init(pipfile text: String) throws(MoorError) {
        let file = "Pipfile"
        let root = try TOMLReader.read(text, file: file)
        for source in root["source"]?.array ?? [] {
            guard let table = source.table, let url = table["url"]?.string else { continue }
            indexes.append(try PythonIndex(name: table["name"]?.string, url: url, file))
        }
        if let node = root["requires", "python_full_version"] ?? root["requires", "python_version"] {
            python = node.string.flatMap { PythonVersion.exact($0, "\(file) line \(node.line)") }
        }
        for (name, node) in root["packages"]?.table?.pairs ?? [] {
            var requirement = PythonRequirement(name: name, file: file, line: node.line)
            if let version = node.string {
                requirement.specifier = version == "*" ? "" : version
            } else if let table = node.table {
                requirement.extras = (table["extras"]?.array ?? []).compactMap(\.string)
                requirement.marker = Self.marker(table)
                let version = table["version"]?.string ?? "*"
                requirement.specifier = version == "*" ? "" : version
                try place(&requirement, file) { table[$0]?.string }
                bind(&requirement, table["index"]?.string)
            } else {
                throw MoorError(
                    .appFailed, "\(file) line \(node.line): \(name) is neither a version nor a table", hint: "write it as \(name) = \"*\"")
            }
            try add(requirement, anew: nil)
        }
        dropBound()
    }

    /// `markers`, and the keys that stand for one each: sys_platform = "== 'win32'".
    private static func marker(_ table: TOMLTable) -> String {
        let names = [
            "os_name", "sys_platform", "platform_machine", "platform_system", "python_version", "python_full_version",
            "implementation_name",
        ]
        var parts = [table["markers"]?.string].compactMap(\.self)
        for name in names { if let text = table[name]?.string { parts.append("\(name) \(text)") } }
        return parts.count == 1 ? parts[0] : parts.map { "(\($0))" }.joined(separator: " and ")
    }

    // MARK: Both

    /// To the index that `index` names, unless that is the first, which all come from.
    private func bind(_ requirement: inout PythonRequirement, _ name: String?) {
        guard requirement.url == nil, let index = indexes.dropFirst().first(where: { $0.name == name }), index.mayBeBound else { return }
        requirement.index = index
    }

    /// An index that packages are bound to is for those alone (Pipenv, "Index Restricted Packages").
    private mutating func dropBound() {
        let bound = Set(requirements.compactMap(\.index))
        indexes.removeAll { bound.contains($0) }
    }

    /// A URL or a path in place of a version.
    private mutating func place(_ requirement: inout PythonRequirement, _ file: String, _ value: (String) -> String?) throws(MoorError) {
        if let git = value("git") {
            let url = "git+" + git
            try Requirements.checkScheme(url, file, requirement.line)
            requirement.url = url + (value("ref").map { "@\($0)" } ?? "") + (value("subdirectory").map { "#subdirectory=\($0)" } ?? "")
        } else if let path = value("path") ?? value("file") {
            if path.contains("://") {
                requirement.url = path
            } else {
                let plain = try Requirements.inRepository(path, file, requirement.line)
                paths.append((plain, requirement.line))
                requirement.url = "file:///app" + (plain.isEmpty ? "" : "/\(plain)")
            }
        }
    }

    private mutating func add(_ requirement: PythonRequirement, anew: String?) throws(MoorError) {
        guard requirement.isSafe else {
            throw MoorError(
                .appFailed, "\(requirement.file) line \(requirement.line): “\(requirement.name.prefix(60))” cannot be read",
                hint: anew.map { "make the file anew with: \($0)" } ?? "write it as a name and a version, such as dash = \">=3\"")
        }
        requirements.append(requirement)
    }
}
