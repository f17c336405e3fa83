import Foundation
import Models

/// A package index (PEP 503) that the files of an app name.
struct PythonIndex: Sendable, Hashable {
    var name: String
    var url: String

    /// - Throws: `appFailed` where the URL could end a line or begin an option.
    init(name: String?, url: String, _ file: String) throws(MoorError) {
        guard url.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }), url.contains("://") else {
            throw MoorError(
                .appFailed, "\(file): “\(url.prefix(100).filter { $0 >= " " })” is no address of a package index",
                hint: "it looks like https://pypi.org/simple")
        }
        self.name = name ?? url
        self.url = url
    }

    private init() { (name, url) = ("pypi", "https://pypi.org/simple") }
    static let pypi = PythonIndex()

    var isPyPI: Bool {
        ["https://pypi.org/simple", "https://pypi.python.org/simple"].contains(url.hasSuffix("/") ? String(url.dropLast()) : url)
    }

    /// uv fills in what is written as `${NAME}` in requirements files alone.
    var mayBeBound: Bool { !isPyPI && !url.contains("${") }

    /// As pip's options: the first is the one in place of PyPI, which is named nowhere, so that the platform's own mirror is
    /// used.
    static func options(_ indexes: [PythonIndex]) -> [String] {
        guard indexes.contains(where: { !$0.isPyPI }) else { return [] }
        return indexes.enumerated().compactMap { position, index in
            if position == 0 { return index.isPyPI ? nil : "--index-url \(index.url)" }
            return "--extra-index-url \(index.url)"
        }
    }

    /// A `pyproject.toml` that asks for each requirement from its own index and no other, which requirements files cannot say
    /// (uv, "Pinning a package to an index").
    static func project(_ requirements: [PythonRequirement]) -> [UInt8] {
        let bound = requirements.filter { $0.index != nil }.sorted { $0.plain < $1.plain }
        var lines = ["[project]", "name = \"moor-bound\"", "version = \"0\"", "dependencies = ["]
        lines += bound.map { "    \(quoted($0.plain))," } + ["]"]
        let indexes = Set(bound.compactMap(\.index)).sorted { $0.url < $1.url }
        let names = Dictionary(uniqueKeysWithValues: indexes.enumerated().map { ($1, $1.isWord ? $1.name : "index-\($0 + 1)") })
        if !bound.isEmpty { lines.append("[tool.uv.sources]") }
        for name in Set(bound.map { Requirements.normalise($0.name) }).sorted() {
            let index = bound.first { Requirements.normalise($0.name) == name }?.index
            lines.append("\(quoted(name)) = { index = \(quoted(index.flatMap { names[$0] } ?? "")) }")
        }
        for index in indexes {
            lines += ["[[tool.uv.index]]", "name = \(quoted(names[index] ?? ""))", "url = \(quoted(index.url))", "explicit = true"]
        }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    private var isWord: Bool {
        !name.isEmpty && name.utf8.allSatisfy { ($0 | 0x20) > 0x60 && ($0 | 0x20) < 0x7B || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    /// A basic string of TOML 1.0; control characters are refused before.
    private static func quoted(_ text: String) -> String {
        "\"\(text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\""))\""
    }
}
