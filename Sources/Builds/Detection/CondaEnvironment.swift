import Foundation
import Models
import Yams

/// What a conda environment's file asks for, as far as planning goes: names of packages with their places, and what of the
/// repository the environment is made from. The buildpack's own script reads the file in full.
struct CondaEnvironment: Sendable {
    var requirements = Requirements()

    /// - Parameter file: `environment.yml`, `conda-lock.yml` or `conda-requirements.txt`.
    /// - Throws: `appFailed` with file and line.
    init(_ file: String, _ tree: Tree) throws(MoorError) {
        requirements.files.insert(file)
        let text = try tree.text(file, limit: Tree.lockLimit)
        if file.hasSuffix(".txt") {
            for (number, raw) in text.numberedLines { add(raw.prefix { $0 != "#" }.trimmed, file, number) }
            if tree.has("requirements.txt") { try requirements.read("requirements.txt", in: tree) }
        } else if file.hasPrefix("conda-lock") {
            // Lock files are long; their names are all that is wanted of them.
            for (number, raw) in text.numberedLines {
                let line = raw.drop { $0 == " " || $0 == "-" }
                if line.hasPrefix("name: ") { add(line.dropFirst("name: ".count).trimmed, file, number) }
            }
        } else {
            try readEnvironment(text, file, tree)
        }
    }

    private mutating func readEnvironment(_ text: String, _ file: String, _ tree: Tree) throws(MoorError) {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            let line: Int? =
                switch error as? YamlError {
                case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
                default: nil
                }
            throw MoorError(
                .appFailed, "\(file)\(line.map { " line \($0)" } ?? "") is not YAML", hint: "check its indentation and quotes", cause: error
            )
        }
        for channel in root?.mapping?["channels"]?.sequence ?? [] {
            guard let name = channel.scalar?.string, let path = Self.path(ofChannel: name) else { continue }
            try requirements.take(Requirements.inRepository(path, file, channel.mark?.line ?? 1), name, file, channel.mark?.line ?? 1, tree)
        }
        for entry in root?.mapping?["dependencies"]?.sequence ?? [] {
            if let spec = entry.scalar { add(spec.string, file, entry.mark?.line ?? 1) }
            for requirement in entry.mapping?["pip"]?.sequence ?? [] {
                guard let text = requirement.scalar?.string else { continue }
                try requirements.read(line: text, number: requirement.mark?.line ?? 1, of: file, in: tree)
            }
        }
    }

    /// A channel that lies in the repository, which is `/app` in a build.
    private static func path(ofChannel name: String) -> String? {
        if name.hasPrefix("file:///app/") { return String(name.dropFirst("file:///app/".count)) }
        return name.hasPrefix("./") ? name : nil
    }

    /// A match specification, with a channel before the name or without one.
    private mutating func add(_ spec: String, _ file: String, _ line: Int) {
        let plain = spec.range(of: "::").map { String(spec[$0.upperBound...]) } ?? spec
        guard let name = Requirements.name(of: plain) else { return }
        requirements.entries.append(.init(file: file, line: line, name: name, text: spec))
    }
}
