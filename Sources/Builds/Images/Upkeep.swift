import Models

/// What the collection of layers and caches knows, beside rows and engine.
struct Upkeep: Sendable {
    /// What the disk is used for, as the engine was last asked.
    struct Measured: Sendable {
        var asked: Task<DiskUse, any Error>
        /// nil while it is being found out.
        var endedAt: ContinuousClock.Instant?

        var isFresh: Bool { endedAt.map { $0.duration(to: .now) < .seconds(10) } ?? true }
    }

    /// Names of layers and caches that builds use at the moment, with how many do.
    var uses: [String: Int] = [:]
    /// Removals under way, by the same names.
    var removals: [String: Task<Void, Never>] = [:]
    /// By the image's id.
    var layers: [String: [String]] = [:]
    var diskUse: Measured?
    var collection: Task<Void, Never>?
    var mustCollectAgain = false
    var isStopping = false
    /// A build has made a layer, so that others may have become unneeded, and its cache has grown.
    var isDue = false
}
