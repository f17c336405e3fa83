import Models

/// Which buildpack a tree asks for, and why.
struct Detection: Sendable, Hashable {
    var buildpack: Buildpack
    var rule: Buildpack.Rule
    /// For the pusher: "found requirements.txt".
    var reason: String
    /// More for the pusher, such as what else would have fitted.
    var notes: [String] = []

    /// In this order: `build.buildpack` of moor.yaml, `.buildpacks`, then the first rule of the first buildpack that
    /// matches (a Dockerfile's is asked first). Reads the tree and runs nothing.
    /// - Parameter wanted: what moor.yaml names.
    /// - Throws: `appFailed` with what was looked for and one line that would fix it.
    static func of(_ tree: Tree, among packs: [Buildpack], wanted: Wanted? = nil) throws(MoorError) -> Detection {
        let packs = packs.filter { $0.kind != .overlay }
        let named = if let wanted { wanted } else { try Wanted(tree) }
        if let named { return try chosen(named, tree, packs) }
        for pack in packs {
            for rule in pack.rules where try matches(rule, tree) {
                var detection = Detection(buildpack: pack, rule: rule, reason: "found \(list(rule.files, "and"))")
                detection.notes = try others(than: pack, tree, packs)
                return detection
            }
        }
        let looked = packs.flatMap(\.rules).map { list($0.files, "with") + ($0.contains.map { " holding \($0)" } ?? "") }
        let nested = tree.paths.filter { path in packs.contains { $0.rules.contains { path.hasSuffix("/" + $0.files[0]) } } }.prefix(3)
        if let link = packs.flatMap(\.rules).compactMap(\.files.first).first(where: tree.hasOtherKinds.contains) {
            throw MoorError(
                .appFailed, "\(link) is a symbolic link, which is not followed", hint: "commit the file itself under that name")
        }
        throw MoorError(
            .appFailed, "nothing here says how to build this app: looked in the repository's root for \(list(looked, "or"))",
            hint: nested.first.map { "\($0) is not in the root: move it (and the app) there" } ?? fix(packs))
    }

    /// A buildpack that the repository names.
    struct Wanted: Sendable, Hashable {
        var name: String
        /// "moor.yaml line 2", for messages.
        var place: String

        init(name: String, place: String) {
            self.name = name
            self.place = place
        }

        /// The last buildpack that a `.buildpacks` file names (Heroku's and Dokku's format: one name or URL a line); those
        /// that only install Debian packages are passed over, as that happens here whatever the buildpack.
        /// - Returns: nil where there is no such file, or it names nothing that counts.
        init?(_ tree: Tree) throws(MoorError) {
            guard tree.has(".buildpacks") else { return nil }
            var last: Wanted?
            for (number, raw) in try tree.text(".buildpacks").numberedLines {
                let line = raw.trimmed
                if line.isEmpty || line.hasPrefix("#") || line.hasSuffix("heroku-buildpack-apt") { continue }
                last = Wanted(name: line, place: ".buildpacks line \(number)")
            }
            guard let last else { return nil }
            self = last
        }

        func names(_ pack: Buildpack) -> Bool {
            let plain = name.hasSuffix(".git") ? String(name.dropLast(4)) : name
            return ([pack.id] + pack.aliases).contains { plain == $0 || plain.hasSuffix("/" + $0) }
        }
    }

    private static func chosen(_ wanted: Wanted, _ tree: Tree, _ packs: [Buildpack]) throws(MoorError) -> Detection {
        guard let pack = packs.first(where: wanted.names) else {
            throw MoorError(
                .appFailed, "\(wanted.place): there is no buildpack “\(wanted.name.prefix(100))” here",
                hint: "name one of \(list(packs.map(\.id), "or"))")
        }
        for rule in pack.rules where try matches(rule, tree, ignoringUnless: true) {
            return Detection(buildpack: pack, rule: rule, reason: "\(wanted.place) asks for it, and \(list(rule.files, "and")) is there")
        }
        throw MoorError(
            .appFailed,
            "\(wanted.place) asks for the buildpack \(pack.id), which needs \(list(pack.rules.map { list($0.files, "with") }, "or"))",
            hint: pack.fix)
    }

    /// What else the tree fits, and how to choose it.
    private static func others(than chosen: Buildpack, _ tree: Tree, _ packs: [Buildpack]) throws(MoorError) -> [String] {
        var notes: [String] = []
        for pack in packs where pack.id != chosen.id {
            for rule in pack.rules where try matches(rule, tree, ignoringUnless: true) {
                notes.append(
                    "\(list(rule.files, "and")) would do for buildpack \(pack.id): to choose it, write “build: { buildpack: \(pack.id) }” "
                        + "in moor.yaml")
                break
            }
        }
        return notes
    }

    private static func matches(_ rule: Buildpack.Rule, _ tree: Tree, ignoringUnless: Bool = false) throws(MoorError) -> Bool {
        guard rule.files.allSatisfy(tree.has), ignoringUnless || !(rule.unless ?? []).contains(where: tree.has) else { return false }
        guard let text = rule.contains else { return true }
        return try tree.text(rule.files[0]).contains(text)
    }

    /// The advice of the buildpack most people want.
    private static func fix(_ packs: [Buildpack]) -> String { (packs.first { $0.id == "pip" } ?? packs[0]).fix }

    static func list(_ words: [String], _ conjunction: String) -> String {
        words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " \(conjunction) " + words[words.count - 1]
    }
}
