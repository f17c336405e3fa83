import Models

/// Names of what Builds keeps in the engine. "localhost" keeps an engine from ever asking a registry for them.
enum ImageNames {
    static func root(_ platformID: String) -> String { "localhost/moor-\(platformID)/" }
    static func repository(_ platformID: String, _ app: AppName) -> String { root(platformID) + app.rawValue }
    /// Layers that every app may stand on.
    static func shared(_ platformID: String) -> String { "localhost/moor-\(platformID)-layers" }
    /// A volume of each app's own: a package's build runs code, which must not reach what other apps install. By its id, so
    /// that the next app of its name never gets it.
    static func cache(_ platformID: String, _ app: AppID) -> String { cachePrefix(platformID) + "\(app)" }
    private static func cachePrefix(_ platformID: String) -> String { "moor-\(platformID)-cache-" }

    /// The app whose cache a volume is; nil where it is none of this platform's.
    static func app(ofCache name: String, _ platformID: String) -> AppID? {
        let prefix = cachePrefix(platformID)
        return name.hasPrefix(prefix) ? Int64(name.dropFirst(prefix.count)).map { AppID($0) } : nil
    }

    /// Whether it is a layer that is kept for the next build, and not an app's image.
    static func isLayer(_ reference: String) -> Bool { reference.contains(":deps-") }

    /// The app whose image or layer it is; nil for what all apps share, and for what is not of this platform.
    static func app(of reference: String, _ platformID: String) -> AppName? {
        guard reference.hasPrefix(root(platformID)) else { return nil }
        return AppName(rawValue: String(reference.dropFirst(root(platformID).count).prefix { $0 != ":" }))
    }

    /// Whether it is this platform's. Base images are every platform's on an engine.
    static func isOurs(_ reference: String, _ platformID: String) -> Bool {
        reference.hasPrefix(root(platformID)) || reference.hasPrefix(shared(platformID) + ":")
    }
    static func containerPrefix(_ platformID: String) -> String { "moor-\(platformID)-build-" }
    static let base = "localhost/moor-base"
}
