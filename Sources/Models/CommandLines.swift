extension Orchestrator {
    /// Runs a command that has no input and nobody to ask for it; its lines go to the log.
    package func run(
        _ order: CommandOrder, like set: ReplicaSet, appID: AppID, app: AppName, log: DeployLog
    ) async throws(MoorError) -> CommandEnd {
        let lines = CommandLines(log: log)
        let session = CommandSession { stream, bytes in await lines.feed(bytes, of: stream) }
        let end = try await run(order, like: set, appID: appID, app: app, user: "", session: session)
        await lines.finish()
        return end
    }
}

/// Cuts what a command writes into lines for a log, each stream by itself; a line without an end is given in pieces.
private actor CommandLines {
    private static let longest = 16 << 10
    private let log: DeployLog
    private var pending: [CommandStream: [UInt8]] = [:]

    init(log: DeployLog) { self.log = log }

    func feed(_ bytes: ArraySlice<UInt8>, of stream: CommandStream) async {
        var rest = pending.removeValue(forKey: stream) ?? []
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte != 0x0A { rest.append(byte) }
            guard byte == 0x0A || rest.count >= Self.longest else { continue }
            lines.append(rest)
            rest.removeAll(keepingCapacity: true)
        }
        pending[stream] = rest
        for line in lines { await write(line) }
    }

    func finish() async {
        let rest = pending
        pending = [:]
        for stream in [CommandStream.output, .error] {
            if let line = rest[stream], !line.isEmpty { await write(line) }
        }
    }

    private func write(_ line: [UInt8]) async {
        await log.line(String(decoding: line.last == 0x0D ? line.dropLast() : line[...], as: UTF8.self))
    }
}
