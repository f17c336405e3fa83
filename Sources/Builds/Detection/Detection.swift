import Models

/// Which buildpack a tree asks for, and why.
struct Detection: Sendable, Hashable {
    var buildpack: Buildpack
    var rule: Buildpack.Rule

    /// For the pusher: "pip: found requirements.txt".
    var reason: String { "found \(Self.list(rule.files, "and"))" }

    /// The first rule of the first buildpack that matches; reads the tree and runs nothing.
    /// - Throws: `appFailed` with what was looked for and one line that would fix it.
    static func of(_ tree: Tree, among packs: [Buildpack]) throws(MoorError) -> Detection {
        for pack in packs {
            for rule in pack.rules where try matches(rule, tree) {
                return Detection(buildpack: pack, rule: rule)
            }
        }
        let looked = packs.flatMap(\.rules).map { list($0.files, "with") + ($0.contains.map { " holding \($0)" } ?? "") }
        let nested = tree.paths.filter { path in packs.contains { $0.rules.contains { path.hasSuffix("/" + $0.files[0]) } } }.prefix(3)
        throw MoorError(
            .appFailed, "nothing here says how to build this app: looked in the repository's root for \(list(looked, "or"))",
            hint: nested.first.map { "\($0) is not in the root: move it (and the app) there" } ?? packs[0].fix)
    }

    private static func matches(_ rule: Buildpack.Rule, _ tree: Tree) throws(MoorError) -> Bool {
        guard rule.files.allSatisfy(tree.has) else { return false }
        guard let text = rule.contains else { return true }
        return try tree.text(rule.files[0]).contains(text)
    }

    private static func list(_ words: [String], _ conjunction: String) -> String {
        words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " \(conjunction) " + words[words.count - 1]
    }
}
