import Engine
import Foundation
import GRDB
import Logging
import Models
import Store

extension LocalOrchestrator {
    /// A replica's container ended: keep its last words, say why, remove it, and let the backoff run.
    func bury(_ appID: AppID, _ replicaID: ReplicaID, containerID: String, exitCode: Int?) async {
        guard let replica = apps[appID]?.replicas[replicaID] else { return }
        async let lines = readTail(containerID)
        let details = try? await engine.inspectContainer(containerID)
        tails.keep(await lines, of: replicaID)
        let code = details?.state.exitCode ?? exitCode
        let reason =
            if let hung = replica.hung { hung } else {
                await endReason(of: containerID, details: details, exitCode: code, resources: replica.process.resources)
            }
        apps[appID]?.replicas[replicaID]?.failed(Failure(exitCode: code, reason: reason), at: .now, backoff: configuration.backoff)
        changed(appID)
        var metadata = metadata(appID, replica)
        metadata["reason"] = "\(reason)"
        logger.notice("replica ended", metadata: metadata)
        try? await engine.removeContainer(containerID)
        if case .ending = apps[appID]?.replicas[replicaID]?.phase {
            workInput.yield(.finish(appID, replicaID))
            return
        }
        await persist(appID, replicaID)
        workInput.yield(.reconcile(appID))
    }

    /// Why a container ended, for people.
    func endReason(of containerID: String, details: ContainerDetails?, exitCode: Int?, resources: Resources) async -> String {
        guard let exitCode else { return "its container is gone" }
        var outOfMemory = details?.state.oomKilled ?? false
        var peak: Int64?
        if exitCode == 137 || outOfMemory, let kill = await KernelLog.outOfMemory(of: containerID) {
            (outOfMemory, peak) = (true, kill.peak)
        }
        return exitReason(code: exitCode, outOfMemory: outOfMemory, peak: peak, resources: resources)
    }

    /// Stops a replica whose phase is `ending`, for as long as it takes the engine to be there.
    func finishUntilDone(_ appID: AppID, _ replicaID: ReplicaID) async {
        while !Task.isCancelled {
            do {
                try await finish(appID, replicaID)
                return
            } catch {
                logger.debug("a replica could not be stopped", metadata: ["app": "\(appID)", "cause": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Stops the container of a replica whose phase is `ending`, keeps its last words, removes it, then the row.
    func finish(_ appID: AppID, _ replicaID: ReplicaID) async throws {
        guard let replica = apps[appID]?.replicas[replicaID], case .ending(let containerID) = replica.phase else { return }
        if let containerID {
            try await engine.stopContainer(containerID, grace: configuration.stopGraceSeconds)
            tails.keep(await readTail(containerID), of: replicaID)
            try await engine.removeContainer(containerID)
        }
        try await store.write { db in try db.execute(sql: "DELETE FROM replicas WHERE id = ?", arguments: [replicaID]) }
        apps[appID]?.replicas[replicaID] = nil
        admit()
        logger.info("replica stopped", metadata: metadata(appID, replica))
        changed(appID)
        workInput.yield(.reconcile(appID))
    }

    /// Writes what of a replica's state outlives us.
    func persist(_ appID: AppID, _ replicaID: ReplicaID) async {
        guard let replica = apps[appID]?.replicas[replicaID] else { return }
        let state = replica.status(appID: appID, at: .now).state
        let word = if case .crashLooping = state { "backing-off" } else { state.word }
        let restarts = replica.restarts
        let containerID = replica.containerID
        do {
            try await store.write { db in
                try db.execute(
                    sql: "UPDATE replicas SET state = ?, restarts = ?, containerID = ? WHERE id = ?",
                    arguments: [word, restarts, containerID, replicaID])
            }
        } catch {
            logger.error("a replica's state could not be written", metadata: ["cause": "\(error.cause ?? error.message)"])
        }
    }

    /// The last lines of a container; none where it is gone.
    func readTail(_ containerID: String) async -> [String] {
        var tail = Tail()
        try? await engine.logs(of: containerID, tail: -1, follow: false) { line in tail.append(line) }
        return tail.lines
    }
}

/// A bounded end of a log.
struct Tail: Sendable {
    static let limit = 200
    private(set) var lines: [String] = []

    mutating func append(_ line: String) {
        lines.append(line.count > 2000 ? String(line.prefix(2000)) + "…" : line)
        if lines.count > Self.limit { lines.removeFirst() }
    }
}

/// The last words of replicas whose containers are gone; of the latest of them only, so that it stays small.
struct TailKeeper: Sendable {
    static let limit = 100
    private var tails: [ReplicaID: Tail] = [:]
    private var order: [ReplicaID] = []

    func lines(of id: ReplicaID) -> [String] { tails[id]?.lines ?? [] }

    mutating func keep(_ lines: [String], of id: ReplicaID) {
        guard !lines.isEmpty else { return }
        for line in lines { tails[id, default: Tail()].append(line) }
        order.removeAll { $0 == id }
        order.append(id)
        if order.count > Self.limit { tails[order.removeFirst()] = nil }
    }
}
