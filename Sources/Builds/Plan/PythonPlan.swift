import Foundation
import Models

/// What the dependency files of a Python app come to: what is asked for, which Python, what the build needs beside it.
struct PythonPlan: Sendable {
    /// With their places, for error messages.
    var requirements = Requirements()
    /// Files that are put beside the repository's own, made from formats that uv does not read.
    var made: [TarFile] = []
    /// Debian packages that installing needs.
    var debian: [String] = []
    var notes: [String] = []
    /// The packages cannot be known without all of the repository.
    var needsWholeTree = false
    /// The repository is installed itself.
    var isPackage = false
    var python: PythonVersion?

    /// - Throws: `appFailed` naming file and line.
    init(_ rule: Buildpack.Rule, _ tree: Tree) throws(MoorError) {
        guard let follow = rule.follow else { return }
        var project: PyProject?
        if rule.files.contains(PyProject.file) { project = try PyProject(tree.text(PyProject.file)) }
        var others: [PythonVersion?] = [project?.python]
        switch follow {
        case .requirements:
            requirements = try Requirements(rule.files[0], in: tree)
        case .pyproject:
            if let project {
                requirements = project.requirements
                needsWholeTree = project.needsWholeTree
                isPackage = project.isPackage
            }
        case .pipfileLock, .pipfile:
            let text = try tree.text(rule.files[0], limit: Tree.lockLimit)
            let inputs = follow == .pipfile ? try PipfileInputs(pipfile: text) : try PipfileInputs(lock: text)
            if follow == .pipfile {
                notes.append("Pipfile.lock is not there: the newest versions that fit are taken; pipenv lock makes it repeatable")
            }
            others.append(inputs.python)
            try take(inputs.paths, rule.files[0], tree)
            try write(inputs.requirements, indexes: inputs.indexes)
        case .conda:
            requirements = try CondaEnvironment(rule.files[0], tree).requirements
        case .julia:
            for (path, line, file) in try JuliaProject.paths(tree) { try requirements.take(path, path, file, line, tree) }
            return
        case .poetryLock, .poetry:
            if let project { try readPoetry(project, tree, isLocked: follow == .poetryLock) }
        }
        if follow != .conda { python = try PythonVersion.asked(by: tree, others: others) }
        if let python { notes.append(python.note ?? "Python \(python.request) is asked for by \(python.place)") }
        if let git = requirements.fetchedWithGit {
            notes.append("git is installed for \(git.file) line \(git.line)")
            debian.append("git")
        } else if project?.usesGit == true {
            notes.append("git is installed for \(PyProject.file)")
            debian.append("git")
        } else if try Self.lockUsesGit(rule, tree) {
            notes.append("git is installed for uv.lock")
            debian.append("git")
        }
        if follow != .conda { try noteIgnored(rule, tree) }
    }

    private mutating func readPoetry(_ project: PyProject, _ tree: Tree, isLocked: Bool) throws(MoorError) {
        let lock = isLocked ? try tree.text(PoetryInputs.file, limit: Tree.lockLimit) : nil
        let inputs = try PoetryInputs(project, lock: lock)
        notes += inputs.notes
        if !isLocked {
            notes.append("poetry.lock is not there: the newest versions that fit are taken; poetry lock makes it repeatable")
        }
        try take(inputs.paths, isLocked ? PoetryInputs.file : PyProject.file, tree)
        try write(inputs.requirements, inputs.constraints, indexes: inputs.indexes)
        guard project.isPackage else { return }
        let name = Requirements.normalise(project.poetry?.name ?? project.name ?? "").replacingOccurrences(of: "-", with: "_")
        isPackage = project.poetry?.namesPackages == true || tree.hasFolder(name) || tree.hasFolder("src/\(name)") || tree.has("\(name).py")
        if !isPackage { notes.append("no folder named \(name) is there to install: only the dependencies are") }
    }

    private mutating func take(_ paths: [(path: String, line: Int)], _ file: String, _ tree: Tree) throws(MoorError) {
        for (path, line) in paths { try requirements.take(path, path, file, line, tree) }
    }

    private mutating func write(_ asked: [PythonRequirement], _ held: [PythonRequirement] = [], indexes: [PythonIndex]) throws(MoorError) {
        for one in asked + held { try Requirements.checkQuery(one.url ?? "", one.file, one.line) }
        requirements.entries += asked.map(\.entry)
        requirements.entries += held.filter { $0.url?.hasPrefix("git+") == true }.map(\.entry)
        let options = PythonIndex.options(indexes)
        for option in options { requirements.addVariables(of: option, asked.first?.file ?? "the file of packages") }
        for one in asked + held { requirements.addVariables(of: one.url ?? "", "\(one.file) line \(one.line)") }
        // What is bound to an index is asked for by the project file; its hashes are held as constraints.
        let bound = asked.filter { $0.index != nil }
        let files = [
            "requirements.txt": PythonRequirement.file(asked.filter { $0.index == nil }, options: options),
            "constraints.txt": PythonRequirement.file(held + bound.filter { !$0.hashes.isEmpty }.map(\.withoutExtras)),
            "pyproject.toml": PythonIndex.project(bound),
        ]
        made += files.sorted { $0.key < $1.key }.map { TarFile(path: "app/.moor/\($0)", contents: $1) }
    }

    private static func lockUsesGit(_ rule: Buildpack.Rule, _ tree: Tree) throws(MoorError) -> Bool {
        guard rule.files.contains("uv.lock") else { return false }
        return try tree.text("uv.lock", limit: Tree.lockLimit).contains("source = { git")
    }

    /// Files that name packages and are passed over, so that nobody wonders.
    private mutating func noteIgnored(_ rule: Buildpack.Rule, _ tree: Tree) throws(MoorError) {
        var others = ["requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock", "Pipfile"]
        others.removeAll {
            rule.files.contains($0) || ($0 == "Pipfile" && (rule.files.contains("Pipfile.lock") || tree.has("Pipfile.lock")))
        }
        var found = others.filter(tree.has)
        if !rule.files.contains(PyProject.file), tree.has(PyProject.file), let project = try? PyProject(tree.text(PyProject.file)),
            !project.requirements.entries.isEmpty || project.poetry?.dependencies.isEmpty == false
        {
            found.append(PyProject.file)
        }
        guard !found.isEmpty else { return }
        notes.append("packages are read from \(Detection.list(rule.files, "and")); not from \(Detection.list(found, "and"))")
    }
}
