import Foundation
package import Models
import Yams

extension PlatformConfiguration {
    /// Environment names that belong to the client or are read elsewhere, and so are no misspelt keys.
    private static let otherVariables: Set<String> = ["MOOR_ADMIN_PASSWORD", "MOOR_URL", "MOOR_TOKEN", "MOOR_CONFIG"]

    /// Reads the file (where one is given), then the environment, which wins.
    /// - Throws: `invalid` with file, line and what was expected, for an unknown key or a bad value.
    package static func load(file: String?, environment: [String: String]) throws(MoorError) -> PlatformConfiguration {
        var configuration = PlatformConfiguration()
        if let file { try configuration.apply(file: file) }
        try configuration.apply(environment: environment)
        return configuration
    }

    private mutating func apply(file: String) throws(MoorError) {
        guard let data = FileManager.default.contents(atPath: file), let text = String(bytes: data, encoding: .utf8) else {
            throw MoorError(.invalid, "the configuration file \(file) cannot be read", hint: "check the path and its permissions")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw MoorError(.invalid, "\(file): \(error)", hint: "the file must be YAML: “key: value” lines, nested by two spaces")
        } catch {
            throw .wrapping(error, "\(file) cannot be read")
        }
        guard let root, root != Node("") else { return }
        try apply(node: root, prefix: "", file: file)
    }

    private mutating func apply(node: Node, prefix: String, file: String) throws(MoorError) {
        let place = "\(file) line \(node.mark?.line ?? 1)"
        switch node {
        case .mapping(let mapping):
            guard prefix.isEmpty || ConfigurationKey.all.contains(where: { $0.name.hasPrefix(prefix + ".") }) else {
                throw Self.unknown(prefix, at: place)
            }
            for (key, value) in mapping {
                let name = prefix.isEmpty ? key.string ?? "?" : "\(prefix).\(key.string ?? "?")"
                // The place of an unknown key is the key's own line, not its value's.
                guard ConfigurationKey.all.contains(where: { $0.name == name || $0.name.hasPrefix(name + ".") }) else {
                    throw Self.unknown(name, at: "\(file) line \(key.mark?.line ?? 1)")
                }
                try apply(node: value, prefix: name, file: file)
            }
        case .scalar(let scalar):
            // A section whose keys are all commented out is an empty scalar.
            if scalar.string.isEmpty, ConfigurationKey.all.contains(where: { $0.name.hasPrefix(prefix + ".") }) { return }
            guard let key = ConfigurationKey.all.first(where: { $0.name == prefix }) else {
                throw MoorError(.invalid, "\(place): “\(prefix)” holds other keys, not a value", hint: "see config/moorage.yaml")
            }
            guard key.apply(scalar.string, &self) else {
                throw MoorError(.invalid, "\(place): \(key.name) is “\(scalar.string)”, expected \(key.expected)")
            }
        case .sequence, .alias:
            let expected = ConfigurationKey.all.first { $0.name == prefix }?.expected ?? "a value"
            throw MoorError(.invalid, "\(place): \(prefix) is a list, expected \(expected)")
        }
    }

    private mutating func apply(environment: [String: String]) throws(MoorError) {
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("MOOR_") {
            guard let key = ConfigurationKey.all.first(where: { $0.environmentName == name }) else {
                if Self.otherVariables.contains(name) { continue }
                throw Self.unknown(name, at: "environment", among: ConfigurationKey.all.map(\.environmentName))
            }
            guard key.apply(value, &self) else {
                throw MoorError(.invalid, "environment: \(name) is “\(value)”, expected \(key.expected)")
            }
        }
        adminPassword = environment["MOOR_ADMIN_PASSWORD"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func unknown(_ name: String, at place: String, among names: [String] = ConfigurationKey.all.map(\.name)) -> MoorError {
        let known = names.min { distance($0, name) < distance($1, name) }
        let near = known.flatMap { distance($0, name) <= 3 ? "did you mean \($0)?" : nil }
        return MoorError(.invalid, "\(place): unknown key “\(name)”", hint: near ?? "the keys are: \(names.joined(separator: ", "))")
    }

    /// Levenshtein's distance between two short names.
    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased()), b = Array(b.lowercased())
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let cost = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(cost, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
