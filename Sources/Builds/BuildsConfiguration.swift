import Foundation

/// What Builds is told at the start.
package struct BuildsConfiguration: Sendable {
    /// What one build may use.
    package struct Limits: Sendable, Hashable {
        /// Thousandths of a core.
        package var cpuMillis: Int
        /// Bytes; there is no swap beside it.
        package var memoryBytes: Int64
        package var wallSeconds: Int
        package var pids: Int

        package init(cpuMillis: Int = 2000, memoryBytes: Int64 = 2 << 30, wallSeconds: Int = 900, pids: Int = 1024) {
            self.cpuMillis = cpuMillis
            self.memoryBytes = memoryBytes
            self.wallSeconds = wallSeconds
            self.pids = pids
        }
    }

    /// An image to use in place of our own base. It must have a shell, Python 3, uv and a folder `/app` of uid 10001.
    package var baseImage: String?
    /// Folders whose sub-folders are buildpacks, the first that matches winning.
    package var buildpackRoots: [String]
    /// The folder of the kept build logs.
    package var logs: String
    /// A short name for this platform among others on the same engine: letters, digits and hyphens.
    package var platformID: String
    /// The host's file of trusted certificates, mounted into builds only.
    package var caBundle: String?
    package var limits: Limits
    /// The folder the base image is made in; emptied of what an interrupted run left.
    package var scratch: String
    /// Where our own engine keeps its temporary files; nil with an engine that is not ours.
    package var engineTemporaryFolder: String?
    /// Values of the platform's configuration that buildpacks may ask for, by key.
    package var settings: [String: String]
    /// GPUs that replicas on this host can be given.
    package var gpus: @Sendable () async -> Int
    /// How many builds run at once; the rest wait and are told. Half of the host's cores where nothing else is said.
    package var concurrency: Int
    /// Bytes that the package caches of all apps may take together.
    package var cacheLimit: Int64
    /// Where the base image's archive is kept and looked for, so that several engines need it made only once; nil: not kept.
    package var baseArchives: String?

    package init(
        baseImage: String? = nil, buildpackRoots: [String], logs: String, platformID: String, caBundle: String? = nil,
        limits: Limits = Limits(), scratch: String, engineTemporaryFolder: String? = nil, concurrency: Int = Self.usualConcurrency,
        cacheLimit: Int64 = 10 << 30, baseArchives: String? = nil, gpus: @escaping @Sendable () async -> Int = { 0 },
        settings: [String: String] = [:]
    ) {
        self.baseImage = baseImage
        self.buildpackRoots = buildpackRoots
        self.logs = logs
        self.platformID = platformID
        self.caBundle = caBundle
        self.limits = limits
        self.scratch = scratch
        self.engineTemporaryFolder = engineTemporaryFolder
        self.concurrency = concurrency
        self.cacheLimit = cacheLimit
        self.baseArchives = baseArchives
        self.gpus = gpus
        self.settings = settings
    }

    package static let usualConcurrency = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
}
