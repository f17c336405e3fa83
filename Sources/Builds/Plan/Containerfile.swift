import Foundation
import Models

/// A buildpack's Containerfile, taken apart into what a build does: stages of copies and commands.
///
/// Only what buildpacks need is understood: FROM, ENV, WORKDIR, USER, COPY and RUN with cache mounts. The file stays one
/// that any container tool can build.
struct Containerfile: Sendable, Hashable {
    struct Stage: Sendable, Hashable {
        var from: String
        /// "NAME=value".
        var environment: [String] = []
        /// nil: that of the image it is made from.
        var workingDirectory: String?
        /// What the image runs as; nil: as the image it is made from.
        var user: String?
        var commands: [Run] = []
    }

    struct Run: Sendable, Hashable {
        var command: String
        /// Paths that keep their contents from build to build.
        var caches: [String]
        var user: String
    }

    var stages: [Stage] = []

    /// - Parameter values: what stands in place of each `{{name}}`. A command that comes out empty is left out.
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
    }

    private mutating func apply(_ instruction: String, _ rest: String, _ values: [String: String]) -> Bool {
        if instruction == "FROM" {
            let name = rest.split(separator: " ").first.map(String.init) ?? ""
            stages.append(Stage(from: Self.fill(name, values) ?? ""))
            return !stages[stages.count - 1].from.isEmpty
        }
        guard !stages.isEmpty else { return false }
        let last = stages.count - 1
        switch instruction {
        case "ENV": stages[last].environment += rest.split(separator: " ").map(String.init)
        case "WORKDIR": stages[last].workingDirectory = rest
        case "USER": stages[last].user = rest
        case "COPY": break
        case "RUN":
            var command = rest[...]
            var caches: [String] = []
            while command.hasPrefix("--mount=") {
                let mount = command.prefix { $0 != " " }
                guard mount.hasPrefix("--mount=type=cache,target=") else { return false }
                caches.append(String(mount.dropFirst("--mount=type=cache,target=".count)))
                command = command.dropFirst(mount.count).drop { $0 == " " }
            }
            if let filled = Self.fill(String(command), values) {
                stages[last].commands.append(Run(command: filled, caches: caches, user: stages[last].user ?? "0"))
            }
        default: return false
        }
        return true
    }

    /// nil where a placeholder has no value.
    private static func fill(_ text: String, _ values: [String: String]) -> String? {
        var text = text
        while let start = text.range(of: "{{"), let end = text.range(of: "}}", range: start.upperBound..<text.endIndex) {
            guard let value = values[String(text[start.upperBound..<end.lowerBound])], !value.isEmpty else { return nil }
            text.replaceSubrange(start.lowerBound..<end.upperBound, with: value)
        }
        return text
    }
}
