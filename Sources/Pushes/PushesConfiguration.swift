/// Where pushes are kept and what bounds them.
package struct PushesConfiguration: Sendable {
    /// Folder of the bare repositories, one "<app id>.git" each. Private to the platform.
    package var repositories: String
    /// Path of the Unix socket that the pre-receive hook calls back on; its folder must be private. Under 100 bytes,
    /// for a socket address holds no more (unix(7)).
    package var hookSocket: String
    /// Absolute path of the running `moor`, which git runs as its pre-receive hook.
    package var moorExecutable: String
    /// Folder that is given to git as `core.hooksPath`.
    package var hooksFolder: String
    /// Bytes of one push's pack; also of what an inflated request body may grow to.
    package var maximumPushBytes: Int64
    /// Bytes of one file in a tree that is to be deployed.
    package var maximumFileBytes: Int64
    /// Bytes that must be free on the repositories' disk for a push to begin.
    package var minimumFreeBytes: Int64
    /// For one git process, the deploy inside it included.
    package var gitDeadline: Duration
    /// Pushes to one app that may wait for their turn; the next one is refused.
    package var maximumWaiting: Int

    package init(
        repositories: String, hookSocket: String, moorExecutable: String, hooksFolder: String,
        maximumPushBytes: Int64 = 2 << 30, maximumFileBytes: Int64 = 1 << 30, minimumFreeBytes: Int64 = 256 << 20,
        gitDeadline: Duration = .seconds(2 * 3600), maximumWaiting: Int = 10
    ) {
        self.repositories = repositories
        self.hookSocket = hookSocket
        self.moorExecutable = moorExecutable
        self.hooksFolder = hooksFolder
        self.maximumPushBytes = maximumPushBytes
        self.maximumFileBytes = maximumFileBytes
        self.minimumFreeBytes = minimumFreeBytes
        self.gitDeadline = gitDeadline
        self.maximumWaiting = maximumWaiting
    }
}
