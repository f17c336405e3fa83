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
    /// How many builds run at once; the rest wait and are told.
    package var concurrency: Int
    /// Where the base image's archive is kept and looked for, so that several engines need it made only once; nil: not kept.
    package var baseArchives: String?

    package init(
        baseImage: String? = nil, buildpackRoots: [String], logs: String, platformID: String, caBundle: String? = nil,
        limits: Limits = Limits(), scratch: String, concurrency: Int = 2, baseArchives: String? = nil
    ) {
        self.baseImage = baseImage
        self.buildpackRoots = buildpackRoots
        self.logs = logs
        self.platformID = platformID
        self.caBundle = caBundle
        self.limits = limits
        self.scratch = scratch
        self.concurrency = concurrency
        self.baseArchives = baseArchives
    }
}
