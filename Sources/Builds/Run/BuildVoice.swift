import Models

/// Where a build speaks: the kept log and the pusher's terminal. Neither hears a value of the build config.
struct BuildVoice: Sendable {
    let kept: BuildLog
    let terminal: DeployLog
    let mask: SecretMask

    init(kept: BuildLog, log: DeployLog, mask: SecretMask = SecretMask()) {
        self.kept = kept
        terminal = log
        self.mask = mask
    }

    /// What the platform says.
    func say(_ line: String) async {
        let line = mask.masked(line)
        await kept.write(line, isOutput: false)
        await terminal.line(line)
    }

    /// What a command wrote.
    func output(_ line: String) async {
        let line = mask.masked(line)
        await kept.write(line, isOutput: true)
        await terminal.line("  \(line)")
    }

    var log: DeployLog { DeployLog { await say($0) } }

    /// The same error without values in any of its texts.
    func masked(_ error: MoorError) -> MoorError {
        guard !mask.isEmpty else { return error }
        var error = error
        error.message = mask.masked(error.message)
        error.hint = error.hint.map(mask.masked)
        error.detail = error.detail.map(mask.masked)
        error.cause = error.cause.map(mask.masked)
        return error
    }
}
