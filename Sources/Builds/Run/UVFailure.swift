import Foundation
import Models

/// What uv said when it could not install: its reason, and the line of the requirement it is about.
struct UVFailure: Sendable, Hashable {
    var message: String
    var hint: String?

    /// - Parameters:
    ///   - output: the lines that uv wrote.
    ///   - python: what the app asks for.
    /// - Returns: nil where nothing in them is uv's reason.
    init?(_ output: [String], requirements: Requirements, python: PythonVersion? = nil) {
        let reason = Self.reason(output)
        guard !reason.isEmpty else { return nil }
        let text = reason.joined(separator: " ")

        self.init(message: "")
        // The build lists the Pythons where it could not have the one that is wanted.
        if reason.contains(where: { $0.hasPrefix("cpython-") }) || text.contains("No interpreter found for") {
            self = Self.noPython(text, reason, python)
        } else if text.contains("Hash mismatch for "), let name = Self.between("Hash mismatch for `", "`", text) {
            message =
                "\(Self.place(of: Requirements.name(of: name) ?? name, requirements))what the index gave for \(name) is not what its hash says"
            hint = "make the hashes anew; if that does not help, the index serves other files than it did"
        } else if text.contains("Couldn't parse requirement") {
            self = Self.unparsable(text, reason, requirements)
        } else if text.contains("authentication credentials (401 "), let index = Self.between("An index URL (", ")", text) {
            message = "the package index \(index) asks for a login, or does not take the one given"
            hint = "write it as https://user:${TOKEN}@… and set the value with: moor config set --build TOKEN=-"
        } else if let name = Self.between("Because ", " was not found in the package registry", text) {
            let place = Self.place(of: name, requirements)
            message = "\(place)no version of \(name) was found"
            if name == "pkg-resources" {
                hint = "take the line out: some pip freeze writes it by mistake"
            } else if let near = PopularPackages.near(name) {
                message += ". Did you mean \(near)?"
                hint = "write \(near) in its place"
            } else {
                hint = "check the name on https://pypi.org/search/?q=\(name)"
            }
        } else if let index = Self.between("was found on ", ", but not at the requested version (", text),
            let wanted = Self.between("but not at the requested version (", ")", text)
        {
            let name = Requirements.name(of: wanted) ?? wanted
            message =
                "\(Self.place(of: name, requirements))\(index) has \(name), but not in the version that is asked for (\(wanted)); the first index that has a package is the only one asked"
            hint = "ask for a version that it has, or bind the packages that are wanted from there to it and name it nowhere else"
        } else if let wanted = Self.between("there is no version of ", " and ", text) {
            message = "\(Self.place(of: Requirements.name(of: wanted) ?? wanted, requirements))there is no version \(wanted)"
            hint = "take a version that exists, or leave the version out"
        } else if let wanted = Self.between(" is available and you require ", ",", text),
            let best = Self.between("only ", " is available", text)
        {
            message = "\(Self.place(of: Requirements.name(of: wanted) ?? wanted, requirements))\(wanted) does not exist; only \(best) does"
            hint = "take a version that exists"
        } else if text.contains("Python"),
            text.contains("does not satisfy Python") || text.contains("requires-python") || text.contains("requires Python")
                || text.contains("No interpreter found")
        {
            message = "the app asks for another Python than the platform has: \(Self.sentence(text))"
            hint = "widen requires-python, or take package versions that run on the platform's Python"
        } else if let name = Self.between("Failed to build `", "`", text) {
            let package = Requirements.name(of: name) ?? name
            message = "\(Self.place(of: package, requirements))\(name) could not be built"
            hint =
                text.contains("gcc") || text.contains("cc1") || text.contains("compiler") || text.contains("pg_config")
                ? "it has no ready-made wheel for the platform's Python and needs a compiler: take a version that has one"
                    + (package == "psycopg2" ? ", or psycopg2-binary" : "")
                : "the lines above are what its own build said"
        } else if text.contains("UnknownIssuer") || text.contains("certificate") {
            message = "the package index's certificate is not trusted by the platform"
            hint = "the platform's admin must give it the right CA bundle"
        } else if text.contains("Failed to fetch") || text.contains("dns error") || text.contains("error sending request") {
            message = "a package could not be fetched: \(Self.sentence(text))"
            hint = "try again; if it stays so, the platform's admin must check that builds reach the package index"
        } else if text.contains("we can conclude") {
            let names = requirements.entries.filter { entry in entry.name.map { text.contains($0) } ?? false }
            let lines = names.prefix(4).map { "\($0.file) line \($0.line) (\($0.text))" }
            message =
                lines.isEmpty ? "the requirements contradict each other" : "these contradict each other: \(lines.joined(separator: ", "))"
            hint = "loosen one of them; uv's reasoning stands above"
        } else if text.contains("Git executable not found") || text.contains("Git operation failed") {
            message = "a package was to be fetched with git and could not be: \(Self.sentence(text))"
            hint = "check its address and revision, and that builds may read it"
        } else {
            message = "installing the packages failed: \(Self.sentence(text))"
            hint = "the lines above are uv's own"
        }
    }

    private init(message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    /// After its reason the build lists what `uv python list` says.
    private static func noPython(_ text: String, _ reason: [String], _ python: PythonVersion?) -> UVFailure {
        let wanted = python?.request ?? between("No interpreter found for Python ", " in ", text) ?? "another version"
        var here: [String] = []
        var others: [String] = []
        for line in reason where line.hasPrefix("cpython-") && !line.contains("+freethreaded") {
            guard let version = line.split(separator: "-").dropFirst().first.map(String.init) else { continue }
            if !line.contains("<download available>") {
                if !here.contains(version) { here.append(version) }
            } else if version.utf8.allSatisfy({ $0 < 0x3A }) {
                let minor = version.split(separator: ".").prefix(2).joined(separator: ".")
                if !others.contains(minor) { others.append(minor) }
            }
        }
        let place = python.map { "\($0.place): " } ?? ""
        let has = here.isEmpty ? "" : "; the platform has \(here.joined(separator: ", "))"
        let first = here.first.map { $0.split(separator: ".").prefix(2).joined(separator: ".") }
        if text.contains("Failed to download") {
            return UVFailure(
                message: "\(place)Python \(wanted) is not on the platform and could not be fetched\(has)",
                hint: first.map { "ask for \($0), or have the platform's admin let builds reach uv's Python downloads" })
        }
        let most = others.isEmpty ? "" : ", and can fetch \(others.joined(separator: ", "))"
        return UVFailure(message: "\(place)there is no Python \(wanted)\(has)\(most)", hint: "ask for one of these")
    }

    private static func unparsable(_ text: String, _ reason: [String], _ requirements: Requirements) -> UVFailure {
        let file = Self.between("Couldn't parse requirement in `", "`", text) ?? "requirements.txt"
        // uv gives an offset; the line that it quotes is the one people know.
        let quoted = reason.map(\.trimmed).last { line in requirements.entries.contains { $0.text == line } }
        let entry =
            requirements.entries.first { $0.text == quoted && file.hasSuffix($0.file) } ?? requirements.entries.first { $0.text == quoted }
        let cause = Self.between("cause: ", nil, reason.first { $0.contains("cause: ") } ?? "") ?? "it is no requirement"
        let message =
            entry.map { "\($0.file) line \($0.line) cannot be read: “\($0.text)”: \(cause)" } ?? "\(file) cannot be read: \(cause)"
        return UVFailure(message: message, hint: "a line looks like pandas==2.2.3")
    }

    /// From the last line that begins with "error" on, without the look of it.
    private static func reason(_ output: [String]) -> [String] {
        guard let start = output.lastIndex(where: { $0.hasPrefix("error:") || $0.trimmed.hasPrefix("× ") || $0.hasPrefix("error ") }) else {
            return []
        }
        return output[start...].prefix(60).map { line in
            String(line.drop { $0 == " " || $0 == "×" || $0 == "╰" || $0 == "─" || $0 == "▶" || $0 == "├" || $0 == "│" })
        }
    }

    private static func place(of name: String, _ requirements: Requirements) -> String {
        let wanted = Requirements.normalise(name)
        guard let entry = requirements.entries.first(where: { $0.name == wanted }) else { return "" }
        return "\(entry.file) line \(entry.line): "
    }

    private static func sentence(_ text: String) -> String {
        String(text.replacingOccurrences(of: "error: ", with: "").replacingOccurrences(of: "cause: ", with: "").prefix(400)).trimmed
    }

    private static func between(_ start: String, _ end: String?, _ text: String) -> String? {
        guard let from = text.range(of: start) else { return nil }
        let rest = text[from.upperBound...]
        guard let end else { return String(rest).trimmed }
        guard let to = rest.range(of: end) else { return nil }
        return String(rest[..<to.lowerBound]).trimmed
    }
}
