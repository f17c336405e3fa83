import Crypto
import Foundation
import Models
import Yams

/// One folder of `buildpacks/`: what it looks for and how what it finds becomes an image.
struct Buildpack: Sendable, Hashable {
    enum Kind: String, Codable, Sendable {
        /// The folder's Containerfile, with its placeholders filled.
        case containerfile
        /// The repository's own Dockerfile, built by the engine as it is.
        case dockerfile
        /// Settings on top of another buildpack's image: that of apps which run on GPUs.
        case overlay
    }

    /// One way a repository may ask for this buildpack.
    struct Rule: Codable, Sendable, Hashable {
        /// Paths that must all be there.
        var files: [String]
        /// Text that the first of `files` must hold.
        var contains: String?
        /// Paths of which none may be there: another buildpack is the better choice then.
        var unless: [String]?
        /// The files that key the dependency layer.
        var dependencies: [String]
        /// How to find more such files from what these hold.
        var follow: Follow?
        /// The shell command that installs the dependencies; nil where there are none to install.
        var install: String?
        /// The shell command that makes of the dependencies an earlier layer holds those that are asked for now; nil where
        /// they are always installed anew.
        var update: String?
        /// The shell command that adds packages, where `install` has no place for them.
        var packages: String?
        /// The shell command that installs the repository itself after it is copied.
        var project: String?
    }

    enum Follow: String, Codable, Sendable {
        case requirements, pyproject, pipfile, poetry
        case pipfileLock = "pipfile-lock"
        case poetryLock = "poetry-lock"
        case conda, julia
    }

    /// `buildpack.yaml` as it is written.
    private struct Description: Codable {
        var id: String
        var version: Int?
        var summary: String
        var order: Int?
        var kind: Kind?
        var aliases: [String]?
        var language: String?
        var rules: [Rule]?
        var needs: [String]?
        var environment: [String]?
        var declined: String?
        var apt: [String]?
        var processes: [String: String]?
        var resources: [String: String]?
        var settings: [String]?
        var fix: String
    }

    var id: String
    /// Raised with each change that makes other images of the same tree.
    var version: Int
    /// One sentence for people.
    var summary: String
    /// Lower is asked first.
    var order: Int
    var kind: Kind
    /// Other names under which a `.buildpacks` file may ask for it, such as "heroku/python".
    var aliases: [String]
    /// Which entries of `frameworks.yaml` recognise its web process; nil: none.
    var language: String?
    /// Those entries, in the order they are tried.
    var frameworks: [FrameworkTable.Entry] = []
    var rules: [Rule]
    /// Of an overlay: packages that make an app one that it is for.
    var needs: [String]
    /// Of an overlay: what the image's environment gets, "NAME=value".
    var environment: [String]
    /// Of an overlay: what is run before `install` where the app has such packages and wants it not.
    var declined: String?
    /// Debian packages every app of it gets.
    var apt: [String]
    /// Commands of processes that neither Procfile, moor.yaml nor a framework gives.
    var processes: [String: String]
    /// What a replica gets where moor.yaml is silent.
    var resources: Resources
    /// Keys of the platform's configuration that its builds are told: `conda.channels` as MOOR_CONDA_CHANNELS.
    var settings: [String]
    /// The one line that would make a repository match.
    var fix: String
    /// The Containerfile with its placeholders; empty for a Dockerfile.
    var template: String
    /// Where its files lie, for builds to read.
    var folder: String
    /// Hex SHA-256 of the files that builds may read.
    var digest: String

    /// Reads every buildpack below the roots, in the order they are asked. Of two with one id the earlier root's counts.
    /// - Throws: `unavailable` naming the file that cannot be used; a broken buildpack is the admin's to mend.
    static func load(roots: [String]) throws(MoorError) -> [Buildpack] {
        var packs: [Buildpack] = []
        let frameworks = try FrameworkTable.load(roots: roots)
        for root in roots {
            // An engine takes a relative path to mount for a volume's name.
            let root = URL(filePath: root).standardizedFileURL.path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
            for name in names.sorted() {
                let folder = "\(root)/\(name)"
                guard FileManager.default.fileExists(atPath: "\(folder)/buildpack.yaml") else { continue }
                var pack = try read(folder)
                pack.frameworks = frameworks.filter { $0.language == pack.language }
                if !packs.contains(where: { $0.id == pack.id }) { packs.append(pack) }
            }
        }
        guard !packs.isEmpty else {
            throw MoorError(.unavailable, "the platform has no buildpacks", hint: "the platform's admin must check its buildpacks folder")
        }
        return packs.enumerated().sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }.map(\.element)
    }

    private static func read(_ folder: String) throws(MoorError) -> Buildpack {
        do {
            let text = try String(contentsOfFile: "\(folder)/buildpack.yaml", encoding: .utf8)
            let written = try YAMLDecoder().decode(Description.self, from: text)
            let kind = written.kind ?? .containerfile
            let template = kind != .containerfile ? "" : try String(contentsOfFile: "\(folder)/Containerfile", encoding: .utf8)
            return Buildpack(
                id: written.id, version: written.version ?? 1, summary: written.summary, order: written.order ?? 0, kind: kind,
                aliases: written.aliases ?? [], language: written.language, rules: written.rules ?? [],
                needs: written.needs ?? [], environment: written.environment ?? [], declined: written.declined, apt: written.apt ?? [],
                processes: written.processes ?? [:], resources: try resources(written.resources ?? [:]), settings: written.settings ?? [],
                fix: written.fix,
                template: template, folder: folder, digest: try digest(of: folder))
        } catch {
            throw MoorError(
                .unavailable, "the buildpack in \(folder) cannot be read", hint: "the platform's admin must mend it", cause: error)
        }
    }

    private static func resources(_ written: [String: String]) throws -> Resources {
        var resources = Resources()
        for (key, text) in written {
            switch key {
            case "cpu": resources.cpuMillis = try Quantity.cpuMillis(text).orThrow("resources.cpu: \(text)")
            case "memory": resources.memoryBytes = try Quantity.bytes(text).orThrow("resources.memory: \(text)")
            default: throw MoorError(.invalid, "resources.\(key) is not known")
            }
        }
        return resources
    }

    /// The files at the folder's top but its documentation; sub-folders, such as the example, are not for builds.
    private static func digest(of folder: String) throws -> String {
        var hash = SHA256()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where name != "README.md" {
            var isFolder: ObjCBool = false
            guard unsafe FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder), !isFolder.boolValue,
                let contents = FileManager.default.contents(atPath: "\(folder)/\(name)")
            else { continue }
            hash.update(data: Data("\(name):\(contents.count):".utf8))
            hash.update(data: contents)
        }
        return BuildPlan.hex(hash.finalize())
    }
}

extension Optional {
    fileprivate func orThrow(_ message: String) throws(MoorError) -> Wrapped {
        guard let self else { throw MoorError(.invalid, message) }
        return self
    }
}
