/// Where the progress of a deploy goes, line by line as it happens: the pusher's terminal and the kept build log.
///
/// Awaiting a line waits for the slowest reader, which is the bound on what is held in memory.
package struct DeployLog: Sendable {
    private let write: @Sendable (String) async -> Void

    package init(_ write: @escaping @Sendable (String) async -> Void) { self.write = write }

    /// One line without its newline.
    package func line(_ text: String) async { await write(text) }

    /// Nobody reads.
    package static let discard = DeployLog { _ in }

    /// Writes to both.
    package func tee(_ other: DeployLog) -> DeployLog {
        DeployLog { line in
            await self.line(line)
            await other.line(line)
        }
    }
}
