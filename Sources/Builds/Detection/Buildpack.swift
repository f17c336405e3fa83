import Foundation
import Models
import Yams

/// One folder of `buildpacks/`: what it looks for and how what it finds becomes an image.
struct Buildpack: Sendable, Hashable {
    /// One way a repository may ask for this buildpack.
    struct Rule: Codable, Sendable, Hashable {
        /// Paths that must all be there.
        var files: [String]
        /// Text that the first of `files` must hold.
        var contains: String?
        /// The files that key the dependency layer.
        var dependencies: [String]
        /// How to find more such files from what these hold.
        var follow: Follow?
        /// The shell command that installs the dependencies.
        var install: String
        /// The shell command that adds packages, where `install` has no place for them.
        var packages: String?
        /// The shell command that installs the repository itself after it is copied.
        var project: String?
    }

    enum Follow: String, Codable, Sendable { case requirements, pyproject }

    /// `buildpack.yaml` as it is written.
    private struct Description: Codable {
        var id: String
        var summary: String
        var rules: [Rule]
        var fix: String
    }

    var id: String
    var summary: String
    var rules: [Rule]
    /// The one line that would make a repository match.
    var fix: String
    /// The Containerfile with its placeholders.
    var template: String

    /// Reads every buildpack below the roots, in the order of the roots and then of the names.
    /// - Throws: `unavailable` naming the file that cannot be used; a broken buildpack is the admin's to mend.
    static func load(roots: [String]) throws(MoorError) -> [Buildpack] {
        var packs: [Buildpack] = []
        for root in roots {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
            for name in names.sorted() {
                let folder = "\(root)/\(name)"
                guard FileManager.default.fileExists(atPath: "\(folder)/buildpack.yaml") else { continue }
                packs.append(try read(folder))
            }
        }
        guard !packs.isEmpty else {
            throw MoorError(.unavailable, "the platform has no buildpacks", hint: "the platform's admin must check its buildpacks folder")
        }
        return packs
    }

    private static func read(_ folder: String) throws(MoorError) -> Buildpack {
        do {
            let text = try String(contentsOfFile: "\(folder)/buildpack.yaml", encoding: .utf8)
            let description = try YAMLDecoder().decode(Description.self, from: text)
            let template = try String(contentsOfFile: "\(folder)/Containerfile", encoding: .utf8)
            return Buildpack(
                id: description.id, summary: description.summary, rules: description.rules, fix: description.fix, template: template)
        } catch {
            throw MoorError(
                .unavailable, "the buildpack in \(folder) cannot be read", hint: "the platform's admin must mend it", cause: error)
        }
    }
}
