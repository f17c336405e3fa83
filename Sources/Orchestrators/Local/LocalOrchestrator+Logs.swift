import Engine
package import Models

extension LocalOrchestrator {
    package func lastLines(of replicaID: ReplicaID, count: Int) async -> [String] {
        var lines = tails.lines(of: replicaID)
        let containerID = apps.values.lazy.compactMap { $0.replicas[replicaID] }.first?.containerID
        if let containerID { lines += await readTail(containerID) }
        // Its container may have ended meanwhile and its words been kept.
        if lines.isEmpty { lines = tails.lines(of: replicaID) }
        return Array(lines.suffix(max(count, 0)))
    }

    package func logs(appID: AppID, process: String?, tail: Int, follow: Bool) async throws(MoorError) -> AsyncThrowingStream<
        LogLine, any Error
    > {
        guard await engine.ping() else { throw engineDown }
        let session = LogSession { queue in
            // A writer that waits for room is woken when the reader is gone.
            try await withTaskCancellationHandler {
                try await self.write(logsOf: appID, process: process, tail: max(tail, 0), follow: follow, to: queue)
            } onCancel: {
                Task { await queue.finish(CancellationError()) }
            }
        }
        return session.stream
    }

    private struct Source: Hashable, Sendable {
        var name: String
        /// What is left of containers that are gone.
        var kept: [String]
        /// nil for one whose container is gone.
        var containerID: String?
    }

    private func sources(of appID: AppID, process: String?) -> [Source] {
        (apps[appID]?.replicas.values.sorted { $0.id.rawValue < $1.id.rawValue } ?? [])
            .filter { process == nil || $0.slot.process == process }
            .map { Source(name: $0.name, kept: tails.lines(of: $0.id), containerID: $0.containerID) }
            + oneOffs.values.filter { $0.listed.appID == appID && $0.listed.isDetached && (process == nil || process == "run") }
            .sorted { $0.listed.startedAt < $1.listed.startedAt }
            .map { Source(name: $0.listed.name, kept: $0.tail, containerID: $0.containerID) }
    }

    private func write(logsOf appID: AppID, process: String?, tail: Int, follow: Bool, to queue: LineQueue) async throws {
        let changes = changes(of: appID)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var seen: Set<String> = []
            for source in sources(of: appID, process: process) {
                for line in source.kept.suffix(tail) {
                    try await queue.send(LogLine(replica: source.name, text: line))
                }
                guard let containerID = source.containerID else { continue }
                seen.insert(containerID)
                group.addTask { await self.copy(source, containerID, tail: tail, follow: follow, to: queue) }
            }
            guard follow else {
                try await group.waitForAll()
                return
            }
            for await _ in changes {
                if apps[appID] == nil { break }
                for source in sources(of: appID, process: process) {
                    // A container that came while we follow is shown from its first line.
                    guard let containerID = source.containerID, seen.insert(containerID).inserted else { continue }
                    group.addTask { await self.copy(source, containerID, tail: -1, follow: true, to: queue) }
                }
            }
            group.cancelAll()
        }
    }

    /// Copies one container's lines. Where the engine breaks off while the container runs, goes on with what comes.
    private func copy(_ source: Source, _ containerID: String, tail: Int, follow: Bool, to queue: LineQueue) async {
        var tail = tail
        while !Task.isCancelled {
            do {
                try await engine.logs(of: containerID, tail: tail, follow: follow) { text in
                    try await queue.send(LogLine(replica: source.name, text: text))
                }
                return
            } catch is EngineRefusal {
                return
            } catch {
                guard follow, !Task.isCancelled, runs(containerID) else { return }
                tail = 0
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func runs(_ containerID: String) -> Bool {
        apps.values.contains { $0.replicas.values.contains { $0.containerID == containerID } }
            || oneOffs.values.contains { $0.containerID == containerID }
    }
}
