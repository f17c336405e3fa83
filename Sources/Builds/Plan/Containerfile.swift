import Foundation
import Models

/// A buildpack's Containerfile, taken apart into what a build does: stages of copies and commands, each made from the one
/// before it.
///
/// Only what buildpacks need is understood: FROM, ENV, WORKDIR, USER, COPY and RUN with cache mounts and the mount of the
/// buildpack's own folder.
struct Containerfile: Sendable, Hashable {
    struct Stage: Sendable, Hashable {
        /// What stands after AS; empty for the last.
        var name = ""
        /// "NAME=value".
        var environment: [String] = []
        /// nil: that of the image it is made from.
        var workingDirectory: String?
        /// What the image runs as; nil: as the image it is made from.
        var user: String?
        var copies: [Copy] = []
        var commands: [Run] = []

        /// Nothing in it makes a layer.
        var isEmpty: Bool { copies.isEmpty && commands.isEmpty }
    }

    enum Copy: String, Sendable, Hashable {
        case dependencies = "{{dependencies}}"
        case tree = "."
    }

    struct Run: Sendable, Hashable {
        var command: String
        /// Paths that keep their contents from build to build.
        var caches: [String]
        /// Where the buildpack's own folder is to be read.
        var packFolder: String?
        var user: String
    }

    var stages: [Stage] = []

    /// - Parameter values: what stands in place of each `{{name}}`. A command that comes out without one is left out, and
    ///   a stage without commands and copies leaves its settings to the next.
    /// - Throws: `unavailable` for a line that is not understood: buildpacks are the admin's.
    init(_ template: String, values: [String: String], pack: String) throws(MoorError) {
        var pending = ""
        for (number, raw) in template.numberedLines {
            let line = raw.trimmed
            if line.hasPrefix("#") || (line.isEmpty && pending.isEmpty) { continue }
            if line.hasSuffix("\\") {
                pending += line.dropLast() + " "
                continue
            }
            let whole = pending + line
            pending = ""
            let parts = whole.split(separator: " ", maxSplits: 1)
            let rest = parts.count > 1 ? String(parts[1]).trimmed : ""
            guard apply(String(parts[0]), rest, values) else {
                throw MoorError(
                    .unavailable, "line \(number) of the Containerfile of buildpack \(pack) is not understood",
                    hint: "the platform's admin must mend it")
            }
        }
        collapse()
        guard stages.last?.copies.contains(.tree) == true else {
            throw MoorError(
                .unavailable, "the buildpack \(pack) is broken: the last stage of its Containerfile must copy the app",
                hint: "the platform's admin must mend it")
        }
    }

    private mutating func apply(_ instruction: String, _ rest: String, _ values: [String: String]) -> Bool {
        let words = rest.split(separator: " ").map(String.init)
        if instruction == "FROM" {
            guard words.first == stages.last?.name ?? "{{base}}" else { return false }
            stages.append(Stage(name: words.count == 3 && words[1].uppercased() == "AS" ? words[2] : ""))
            return true
        }
        guard !stages.isEmpty else { return false }
        let last = stages.count - 1
        switch instruction {
        case "ENV": stages[last].environment += words
        case "WORKDIR": stages[last].workingDirectory = rest
        case "USER": stages[last].user = rest
        case "COPY":
            guard let copy = words.first(where: { !$0.hasPrefix("--") }).flatMap(Copy.init) else { return false }
            stages[last].copies.append(copy)
        case "RUN":
            var run = Run(command: "", caches: [], user: stages[last].user ?? "0")
            var command = rest[...]
            while command.hasPrefix("--mount=") {
                let mount = command.prefix { $0 != " " }
                if mount.hasPrefix("--mount=type=cache,target=") {
                    run.caches.append(String(mount.dropFirst("--mount=type=cache,target=".count)))
                } else if mount.hasPrefix("--mount=type=bind,from=buildpack,target=") {
                    run.packFolder = String(mount.dropFirst("--mount=type=bind,from=buildpack,target=".count))
                } else {
                    return false
                }
                command = command.dropFirst(mount.count).drop { $0 == " " }
            }
            if let filled = Self.fill(String(command), values) {
                run.command = filled
                stages[last].commands.append(run)
            }
        default: return false
        }
        return true
    }

    private mutating func collapse() {
        var kept: [Stage] = []
        var settings = Stage()
        for (index, stage) in stages.enumerated() {
            var stage = stage
            stage.environment = settings.environment + stage.environment
            stage.workingDirectory = stage.workingDirectory ?? settings.workingDirectory
            stage.user = stage.user ?? settings.user
            if stage.isEmpty, index < stages.count - 1 {
                settings = stage
            } else {
                kept.append(stage)
                settings = Stage()
            }
        }
        stages = kept
    }

    /// nil where a placeholder has no value. What a value holds is not looked into.
    private static func fill(_ text: String, _ values: [String: String]) -> String? {
        var filled = ""
        var rest = text[...]
        while let start = rest.range(of: "{{"), let end = rest.range(of: "}}", range: start.upperBound..<rest.endIndex) {
            guard let value = values[String(rest[start.upperBound..<end.lowerBound])], !value.isEmpty else { return nil }
            filled += rest[..<start.lowerBound] + value
            rest = rest[end.upperBound...]
        }
        return filled + rest
    }
}
