import Models

/// The environment that git runs in: nothing of the host's or a user's configuration, and ours on top of the repository's.
///
/// Ours are given with each run (git-config(1), GIT_CONFIG_COUNT) rather than written into each repository, so that they
/// hold for every repository at once when they change.
enum GitSettings {
    /// - Parameters:
    ///   - protocolVersion: the client's Git-Protocol field, already validated.
    ///   - hook: variables for the pre-receive hook.
    static func environment(
        _ configuration: PushesConfiguration, repository: String, protocolVersion: String?, hook: [String: String]
    ) -> [String: String] {
        var environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1",
        ]
        if let protocolVersion { environment["GIT_PROTOCOL"] = protocolVersion }
        environment.merge(hook) { $1 }
        let settings = settings(configuration, repository: repository)
        environment["GIT_CONFIG_COUNT"] = String(settings.count)
        for (index, setting) in settings.enumerated() {
            environment["GIT_CONFIG_KEY_\(index)"] = setting.key
            environment["GIT_CONFIG_VALUE_\(index)"] = setting.value
        }
        return environment
    }

    private static func settings(_ configuration: PushesConfiguration, repository: String) -> [(key: String, value: String)] {
        let harmless = [
            // Found in the history of many real repositories, and no danger to anybody.
            "zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate", "missingSpaceBeforeEmail", "missingNameBeforeEmail",
            "missingEmail", "multipleAuthors", "badDateOverflow",
        ]
        return [
            ("safe.directory", repository),
            ("core.hooksPath", configuration.hooksFolder),
            // A branch that moved names a commit whose release is live: it must survive a power cut with its objects.
            ("core.fsync", "committed,reference"), ("core.fsyncMethod", "batch"),
            ("core.logAllRefUpdates", "false"),
            // Constant memory: large files are neither held whole nor compared with each other.
            ("core.bigFileThreshold", "16m"), ("pack.threads", "2"), ("pack.windowMemory", "64m"), ("pack.deltaCacheSize", "32m"),
            ("core.packedGitWindowSize", "16m"), ("core.packedGitLimit", "256m"),
            ("receive.fsckObjects", "true"), ("receive.maxInputSize", String(configuration.maximumPushBytes)),
            ("receive.denyNonFastForwards", "false"), ("receive.denyDeletes", "false"), ("receive.keepAlive", "5"),
            ("receive.advertisePushOptions", "true"),
            // Continuous integration pushes from shallow clones.
            ("receive.shallowUpdate", "true"),
            // Nothing of git's stays behind a push: the platform packs repositories when it maintains them.
            ("receive.autogc", "false"), ("gc.auto", "0"), ("maintenance.auto", "false"),
            ("transfer.hideRefs", "refs/moor"),
            ("uploadpack.allowFilter", "true"), ("uploadpack.keepAlive", "5"),
        ] + harmless.map { ("receive.fsck.\($0)", "warn") }
    }
}
