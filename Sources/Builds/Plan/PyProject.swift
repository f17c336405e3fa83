import Foundation
import Models

/// What of a `pyproject.toml` decides how it is built; uv reads it in full, and reports what is wrong in it.
struct PyProject: Sendable, Hashable {
    /// It names a build system: the repository is a package that is installed itself.
    var isPackage = false
    /// Its dependencies depend on more files than this one.
    var needsWholeTree = false
    /// The dependencies of `[project]`, for recognising what is asked for already and for error messages.
    var requirements = Requirements()

    init(_ text: String) {
        var table = ""
        var inDependencies = false
        for (number, raw) in text.numberedLines {
            let line = raw.trimmed
            if line.hasPrefix("["), !inDependencies {
                table = line.prefix { $0 != "#" }.trimmed
                if table == "[build-system]" { isPackage = true }
                if table.hasPrefix("[tool.uv.workspace") { needsWholeTree = true }
                continue
            }
            if table == "[tool.uv]", line.hasPrefix("package"), line.contains("false") { isPackage = false }
            if table.hasPrefix("[tool.uv.sources"), line.contains("path") || line.contains("workspace") { needsWholeTree = true }
            guard table == "[project]" else { continue }
            if line.hasPrefix("dynamic"), line.contains("dependencies") { needsWholeTree = true }
            if line.hasPrefix("dependencies"), line.contains("[") { inDependencies = true }
            guard inDependencies else { continue }
            for quoted in Self.strings(line) {
                requirements.entries.append(
                    .init(file: "pyproject.toml", line: number, name: Requirements.name(of: quoted), text: quoted))
            }
            if Self.closes(line) { inDependencies = false }
        }
    }

    /// The quoted strings of one line.
    private static func strings(_ line: String) -> [String] {
        var found: [String] = []
        var current: String?
        var quote: Character = "\""
        for character in line {
            if let text = current {
                if character == quote {
                    found.append(text)
                    current = nil
                } else {
                    current = text + String(character)
                }
            } else if character == "\"" || character == "'" {
                quote = character
                current = ""
            } else if character == "#" {
                break
            }
        }
        return found
    }

    /// Whether the list ends here, brackets within quotes (extras) aside.
    private static func closes(_ line: String) -> Bool {
        var rest = line
        for quoted in strings(line) { rest = rest.replacingOccurrences(of: quoted, with: "") }
        return rest.prefix { $0 != "#" }.contains("]")
    }
}
