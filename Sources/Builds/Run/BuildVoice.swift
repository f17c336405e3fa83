import Models

/// Where a build speaks: the kept log and the pusher's terminal.
struct BuildVoice: Sendable {
    let kept: BuildLog
    let terminal: DeployLog

    init(kept: BuildLog, log: DeployLog) {
        self.kept = kept
        terminal = log
    }

    /// What the platform says.
    func say(_ line: String) async {
        await kept.write(line, isOutput: false)
        await terminal.line(line)
    }

    /// What a command wrote.
    func output(_ line: String) async {
        await kept.write(line, isOutput: true)
        await terminal.line("  \(line)")
    }

    var log: DeployLog { DeployLog { await say($0) } }
}
