import Foundation
import Models

/// A web framework recognised in a tree, and how its app is started.
struct Framework: Sendable, Hashable {
    var name: String
    /// The module's file.
    var file: String
    /// What was seen in it: "it imports dash and has “server = app.server”".
    var reason: String
    var command: String
    /// Packages the command needs, by name; installed where the app does not ask for them itself.
    var packages: [String]
    var healthPath: String
    var sticky: Bool
    /// Files that no framework could be looked for in, and why.
    var notes: [String] = []

    /// The best fit: the one whose file stands first in its entry's list, then the first in the table.
    /// - Returns: nil where nothing fits.
    /// - Throws: `appFailed` where a framework is clear but what its deployment needs is missing, and nothing else fits.
    static func recognise(in tree: Tree, table: [FrameworkTable.Entry]) throws(MoorError) -> Framework? {
        var modules = Modules(tree)
        var best: (rank: Int, framework: Framework)?
        var missing: (rank: Int, error: MoorError)?
        for entry in table {
            for (rank, pattern) in entry.files.enumerated() where rank < best?.rank ?? .max {
                let files = matches(pattern, tree)
                for file in files {
                    switch try fit(entry, file, &modules) {
                    case .app(let object, let reason):
                        let command = files.count > 1 ? entry.several ?? entry.command : entry.command
                        best = (rank, Framework(entry, file, object, reason, command, of: files))
                    case .objectIsMissing:
                        if let text = entry.missing, rank < missing?.rank ?? .max {
                            missing = (rank, MoorError(.appFailed, fill(text.error, file), hint: fill(text.hint, file)))
                        }
                    case .nothing: break
                    }
                    if best?.rank == rank { break }
                }
            }
        }
        if var framework = best?.framework {
            framework.notes = modules.notes
            return framework
        }
        if let missing { throw missing.error }
        return nil
    }

    private init(
        _ entry: FrameworkTable.Entry, _ file: String, _ object: String, _ reason: String, _ command: String, of files: [String]
    ) {
        name = entry.name
        self.file = file
        self.reason = reason + (files.count > 1 ? ", the first of \(files.count) such files" : "")
        self.command = Self.fill(command, file, object) { Self.isWord($0) ? $0 : "'\($0)'" }
        packages = entry.packages
        healthPath = entry.health
        sticky = entry.sticky
    }

    // MARK: Fitting

    private enum Fit {
        case nothing, objectIsMissing
        case app(object: String, reason: String)
    }

    private static func fit(_ entry: FrameworkTable.Entry, _ file: String, _ modules: inout Modules) throws(MoorError) -> Fit {
        if entry.imports.isEmpty, entry.objects.isEmpty { return .app(object: "", reason: "it is there") }
        guard let module = try modules.module(file), let imported = entry.imports.first(where: module.imports) else { return .nothing }
        if entry.objects.isEmpty { return .app(object: "", reason: "it imports \(imported)") }
        for object in entry.objects {
            if let method = object.method, module.methods.contains(method) {
                return .app(object: "", reason: "it imports \(imported) and calls \(method)()")
            }
            let wanted = object.call ?? []
            let found = module.assignments.first { assignment in
                if let attribute = object.attribute { return !assignment.isCall && assignment.written.hasSuffix("." + attribute) }
                return assignment.isCall && (wanted.contains(assignment.value) || wanted.contains(assignment.written))
            }
            if let found {
                let line = "\(found.name) = \(found.written)" + (found.isCall ? "(…)" : "")
                return .app(object: found.name, reason: "it imports \(imported) and has “\(line)”")
            }
        }
        return .objectIsMissing
    }

    /// Files that a name, or a path with "*" for one of its names, stands for.
    private static func matches(_ pattern: String, _ tree: Tree) -> [String] {
        guard pattern.contains("*") else { return tree.has(pattern) ? [pattern] : [] }
        let wanted = pattern.split(separator: "/")
        return tree.paths.filter { path in
            let parts = path.split(separator: "/")
            return parts.count == wanted.count && zip(parts, wanted).allSatisfy { fits($0, $1) } && isPlain(path)
        }.sorted()
    }

    private static func fits(_ name: Substring, _ pattern: Substring) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return name == pattern }
        let (start, end) = (pattern[..<star], pattern[pattern.index(after: star)...])
        return name.count >= start.count + end.count && name.hasPrefix(start) && name.hasSuffix(end) && !name.hasPrefix(".")
    }

    /// Between single quotes it can stand in a command. Files of other names are started by a Procfile.
    private static func isPlain(_ path: String) -> Bool {
        !path.hasPrefix("-") && path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "'" && $0 != "\\" }
    }

    private static func isWord(_ path: String) -> Bool {
        path.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || "._/-".utf8.contains($0)
        }
    }

    private static func fill(_ text: String, _ file: String, _ object: String = "", _ quoted: (String) -> String = { $0 }) -> String {
        var module = (file.hasSuffix(".py") ? String(file.dropLast(3)) : file).replacingOccurrences(of: "/", with: ".")
        if module.hasSuffix(".__init__") { module = String(module.dropLast(".__init__".count)) }
        return text.replacingOccurrences(of: "{file}", with: quoted(file)).replacingOccurrences(of: "{module}", with: quoted(module))
            .replacingOccurrences(of: "{object}", with: object)
    }
}

/// The modules of a tree that have been looked into, each read once.
private struct Modules {
    let tree: Tree
    private var read: [String: PythonModule?] = [:]
    private(set) var notes: [String] = []

    init(_ tree: Tree) { self.tree = tree }

    /// - Returns: nil where the file is no module that can be looked into.
    mutating func module(_ file: String) throws(MoorError) -> PythonModule? {
        if let known = read[file] { return known }
        let module = try look(file)
        read[file] = .some(module)
        return module
    }

    private mutating func look(_ file: String) throws(MoorError) -> PythonModule? {
        guard let entry = tree.files[file] else { return nil }
        guard entry.size <= Tree.textLimit else {
            notes.append("\(file) is larger than 1 MiB: it was not looked into")
            return nil
        }
        guard let bytes = try tree.source.contents(of: file, limit: Tree.textLimit) else { return nil }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) || bytes.contains(0) {
            throw MoorError(
                .appFailed, "\(file) is written in UTF-16 or is no text, which Python cannot read", hint: "save \(file) as UTF-8")
        }
        return PythonModule(file.hasSuffix(".ipynb") ? Self.code(ofNotebook: bytes, file) : bytes)
    }

    /// The code cells one after the other (nbformat 4); nothing where it is no notebook, which its server will say.
    private static func code(ofNotebook bytes: [UInt8], _ file: String) -> [UInt8] {
        guard let notebook = try? JSONReader.read(String(decoding: bytes, as: UTF8.self), file: file) else { return [] }
        var code = ""
        for cell in notebook["cells"]?.array ?? [] where cell["cell_type"]?.string == "code" {
            let source = cell["source"]
            code += source?.string ?? (source?.array ?? []).compactMap(\.string).joined()
            code += "\n"
        }
        return Array(code.utf8)
    }
}
