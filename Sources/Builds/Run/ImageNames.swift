import Models

/// Names of what Builds keeps in the engine. "localhost" keeps an engine from ever asking a registry for them.
enum ImageNames {
    static func root(_ platformID: String) -> String { "localhost/moor-\(platformID)/" }
    static func repository(_ platformID: String, _ app: AppName) -> String { root(platformID) + app.rawValue }
    /// A volume of each app's own: a package's build runs code, which must not reach what other apps install.
    static func cache(_ platformID: String, _ app: AppName) -> String { "moor-\(platformID)-cache-\(app)" }
    static func containerPrefix(_ platformID: String) -> String { "moor-\(platformID)-build-" }
    static let base = "localhost/moor-base"
}
