import Engine
import GRDB
import Logging
package import Models
import Store

extension LocalOrchestrator {
    package func apply(_ workload: Workload) async throws(MoorError) {
        let desired = Desired(workload)
        guard apps[workload.appID]?.desired != desired else { return }
        guard await engine.ping() else { throw engineDown }
        apps[workload.appID, default: AppState(app: workload.app)].desired = desired
        workInput.yield(.reconcile(workload.appID))
    }

    package func replicas(of appID: AppID?) -> [ReplicaStatus] {
        let now = Instant.now
        return apps.filter { appID == nil || $0.key == appID }
            .flatMap { id, state in state.replicas.values.map { $0.status(appID: id, at: now) } }
            .sorted { ($0.appID.rawValue, $0.replicaID.rawValue) < ($1.appID.rawValue, $1.replicaID.rawValue) }
    }

    package func changes(of appID: AppID?) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = nextObserver
        nextObserver += 1
        observers[id] = (appID, continuation)
        continuation.onTermination = { _ in Task { await self.forget(observer: id) } }
        return stream
    }

    private func forget(observer id: Int) { observers[id] = nil }

    func changed(_ appID: AppID) {
        for observer in observers.values where observer.appID == nil || observer.appID == appID { observer.continuation.yield() }
    }

    package func remove(appID: AppID, app: AppName) async throws(MoorError) {
        apps[appID, default: AppState(app: app)].desired = Desired()
        do {
            try await endAll(of: [appID])
            for container in try await engine.listContainers(labels: [
                "\(Label.platform)=\(configuration.platformID)", "\(Label.app)=\(appID)",
            ]) {
                try await engine.removeContainer(container.id)
            }
            try await engine.removeNetwork(names.network(appID))
        } catch {
            throw engineError(error, "the app's containers could not be removed")
        }
        await firewall.remove(appID)
        try await store.write { db in
            try db.execute(
                sql: "DELETE FROM replicas WHERE releaseID IN (SELECT id FROM releases WHERE appID = ?)", arguments: [appID])
        }
        apps[appID] = nil
        admit()
        for key in oneOffs.filter({ $0.value.listed.appID == appID }).keys { oneOffs[key] = nil }
        changed(appID)
    }

    /// Stops every replica of every app, and every command; their networks stay. Works also after `run()` has ended.
    package func stopAll() async {
        for appID in apps.keys { apps[appID]?.desired = nil }
        do { try await endAll(of: Array(apps.keys), isPersistent: true) } catch {
            logger.error("not every replica could be stopped", metadata: ["cause": "\(error)"])
        }
        await withTaskGroup { group in
            for key in ownedOneOffs { group.addTask { await self.end(oneOff: self.names.container(oneOff: key), hasTerminal: false) } }
        }
    }

    /// Ends every replica of the apps and returns when they are gone.
    /// - Parameter isPersistent: whether a replica that the engine would not stop is tried again, and the others meanwhile.
    private func endAll(of appIDs: [AppID], isPersistent: Bool = false) async throws {
        var here: [(AppID, ReplicaID)] = []
        for appID in appIDs {
            for id in (apps[appID]?.replicas ?? [:]).keys where apps[appID]?.replicas[id]?.end() == true { here.append((appID, id)) }
            changed(appID)
        }
        let changes = changes(of: nil)
        let deadline = Duration.seconds(configuration.stopGraceSeconds + 60 + here.count * 2)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            // A few at a time: an engine that is asked to stop everything at once answers nobody.
            let lanes = 6
            for lane in 0..<lanes {
                let mine = here.enumerated().filter { $0.offset % lanes == lane }.map(\.element)
                group.addTask {
                    for (appID, id) in mine {
                        if isPersistent { await self.finishUntilDone(appID, id) } else { try await self.finish(appID, id) }
                    }
                    return false
                }
            }
            group.addTask {
                try await Task.sleep(for: deadline)
                throw MoorError(.timedOut, "the replicas did not stop in time", hint: "try again")
            }
            // Those that are being launched or buried are ended by the task that does it.
            group.addTask {
                if await self.areGone(appIDs) { return true }
                for await _ in changes where await self.areGone(appIDs) { return true }
                throw CancellationError()
            }
            for try await isDone in group where isDone { break }
            group.cancelAll()
        }
    }

    private func areGone(_ appIDs: [AppID]) -> Bool { appIDs.allSatisfy { apps[$0]?.replicas.isEmpty ?? true } }

    var engineDown: MoorError {
        MoorError(
            .unavailable, "the container engine does not answer",
            hint: "try again; if it stays so, the platform's admin must look at the engine")
    }

    /// What the engine refused, as an error for people.
    nonisolated func engineError(_ error: any Error, _ message: String) -> MoorError {
        switch error {
        case let error as EngineRefusal:
            MoorError(.unavailable, message, hint: "the platform's log has the engine's reason", detail: [error.message], cause: error)
        default: .wrapping(error, message)
        }
    }
}
