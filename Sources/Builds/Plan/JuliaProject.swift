import Models

/// What of a Julia project decides which files its packages are made from; the buildpack's own script reads it in full.
enum JuliaProject {
    static let project = "Project.toml"
    static let manifest = "Manifest.toml"

    /// Folders of the repository that are packages of their own: `path` in the manifest, and under `[sources]`.
    /// - Throws: `appFailed` naming file and line.
    static func paths(_ tree: Tree) throws(MoorError) -> [(path: String, line: Int, file: String)] {
        var found: [(path: String, line: Int, file: String)] = []
        for (_, node) in try read(project, tree)?["sources"]?.table?.pairs ?? [] {
            if let path = node.table?["path"]?.string {
                found.append((try Requirements.inRepository(path, project, node.line), node.line, project))
            }
        }
        guard let root = try read(manifest, tree) else { return found }
        // Since format 2 the packages stand below "deps", before that at the top.
        for (_, node) in (root["deps"]?.table ?? root).pairs {
            for package in node.array ?? [] {
                guard let path = package.table?["path"]?.string else { continue }
                found.append((try Requirements.inRepository(path, manifest, package.line), package.line, manifest))
            }
        }
        return found
    }

    private static func read(_ file: String, _ tree: Tree) throws(MoorError) -> TOMLTable? {
        tree.has(file) ? try TOMLReader.read(try tree.text(file, limit: Tree.lockLimit), file: file) : nil
    }
}
