import Models

/// `app.json` as Dokku and Dash Enterprise read it: what runs in the build, and before a release. Heroku's many other keys
/// mean nothing here.
struct AppJSON: Sendable, Hashable {
    static let file = "app.json"

    /// Run in the build, in the app's folder; what it makes is kept in the image.
    var predeploy: String?
    /// Run once against the new image, before the rollout.
    var postdeploy: String?

    /// - Throws: `appFailed` naming file and line.
    init(_ text: String) throws(MoorError) {
        let root = try JSONReader.read(text, file: Self.file)
        guard root.members != nil else { throw Self.wrong("the file", root, "an object in braces") }
        guard let scripts = root["scripts"] else { return }
        guard scripts.members != nil else { throw Self.wrong("scripts", scripts, "an object in braces") }
        // Dokku's own section counts before the one it shares with Heroku.
        if let dokku = scripts["dokku"] {
            guard dokku.members != nil else { throw Self.wrong("scripts.dokku", dokku, "an object in braces") }
            predeploy = try Self.command("predeploy", dokku, "scripts.dokku")
            postdeploy = try Self.command("postdeploy", dokku, "scripts.dokku")
        }
        if predeploy == nil { predeploy = try Self.command("predeploy", scripts, "scripts") }
        if postdeploy == nil { postdeploy = try Self.command("postdeploy", scripts, "scripts") }
    }

    /// A string, or Heroku's object with a `command`.
    private static func command(_ key: String, _ scripts: JSONNode, _ path: String) throws(MoorError) -> String? {
        guard let node = scripts[key] else { return nil }
        if case .null = node.value { return nil }
        guard let text = node.string ?? node["command"]?.string else { throw wrong("\(path).\(key)", node, "a command in quotes") }
        guard !text.contains("\0"), text.utf8.count <= 8192 else { throw wrong("\(path).\(key)", node, "a command") }
        return text.trimmed.isEmpty ? nil : text.trimmed
    }

    private static func wrong(_ key: String, _ node: JSONNode, _ expected: String) -> MoorError {
        MoorError(
            .appFailed, "\(file) line \(node.line): \(key) expects \(expected)",
            hint: #"it looks like { "scripts": { "predeploy": "python prepare.py" } }"#)
    }
}
