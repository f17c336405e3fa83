import Foundation
import Models
import Yams

/// `frameworks.yaml` of the buildpacks' roots: how web processes are recognised and started.
enum FrameworkTable {
    /// One framework, or one way in which its apps are written.
    struct Entry: Sendable, Hashable {
        var name: String
        var language: String
        var imports: [String]
        var objects: [Object]
        /// Paths from the root, a "*" standing for any one name; the earlier the better.
        var files: [String]
        var command: String
        var several: String?
        var packages: [String]
        var health: String
        var sticky: Bool
        var websockets: Bool
        var missing: Missing?
    }

    /// What the module must have; one of the three.
    struct Object: Codable, Sendable, Hashable {
        var attribute: String?
        var call: [String]?
        var method: String?
    }

    struct Missing: Codable, Sendable, Hashable {
        var error: String
        var hint: String
    }

    static let file = "frameworks.yaml"

    private struct Written: Codable {
        struct Entry: Codable {
            var name: String
            var language: String
            var imports: [String]?
            var object: [Object]?
            var files: [String]?
            var also: [String]?
            var command: String
            var several: String?
            var packages: [String]?
            var health: String?
            var sticky: Bool?
            var websockets: Bool?
            var missing: Missing?
        }

        var files: [String]?
        var frameworks: [Entry]
    }

    /// The entries of all roots in order; of two with one name the earlier root's counts. Roots without the file have none.
    /// - Throws: `unavailable` naming the file that cannot be used.
    static func load(roots: [String]) throws(MoorError) -> [Entry] {
        var entries: [Entry] = []
        for root in roots {
            let path = "\(root)/\(file)"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            for entry in try read(path) where !entries.contains(where: { $0.name == entry.name }) { entries.append(entry) }
        }
        return entries
    }

    private static func read(_ path: String) throws(MoorError) -> [Entry] {
        do {
            let written = try YAMLDecoder().decode(Written.self, from: String(contentsOfFile: path, encoding: .utf8))
            return try written.frameworks.map { entry in
                let files = (entry.files ?? written.files ?? []) + (entry.also ?? [])
                guard !files.isEmpty else { throw MoorError(.invalid, "\(entry.name) has no files") }
                for object in entry.object ?? [] {
                    guard [object.attribute != nil, object.call != nil, object.method != nil].count(where: \.self) == 1 else {
                        throw MoorError(.invalid, "an object of \(entry.name) is not one of attribute, call and method")
                    }
                }
                return Entry(
                    name: entry.name, language: entry.language, imports: entry.imports ?? [], objects: entry.object ?? [], files: files,
                    command: entry.command, several: entry.several, packages: entry.packages ?? [], health: entry.health ?? "/",
                    sticky: entry.sticky ?? false, websockets: entry.websockets ?? false, missing: entry.missing)
            }
        } catch {
            throw MoorError(.unavailable, "\(path) cannot be read", hint: "the platform's admin must mend it", cause: error)
        }
    }
}
