/// What the container engine keeps for apps, in bytes of its disk.
package struct DiskUse: Sendable, Hashable {
    package struct App: Sendable, Hashable {
        /// Images of releases, and of builds that are about to become one.
        package var images = 0
        /// What the images take beyond the layers below them.
        package var imageBytes: Int64 = 0
        /// Layers of installed packages.
        package var layers = 0
        package var layerBytes: Int64 = 0
        /// What package managers keep from build to build.
        package var cacheBytes: Int64 = 0
        /// What it stands on that is not its own: the base image, Debian packages that others may ask for too.
        package var sharedBytes: Int64 = 0

        /// What would be free without the app.
        package var ownBytes: Int64 { imageBytes + layerBytes + cacheBytes }

        package init() {}
    }

    package var apps: [AppName: App] = [:]
    /// Of everything that is no app's own, each counted once.
    package var sharedBytes: Int64 = 0

    package var totalBytes: Int64 { apps.values.reduce(sharedBytes) { $0 + $1.ownBytes } }

    package init() {}
}
