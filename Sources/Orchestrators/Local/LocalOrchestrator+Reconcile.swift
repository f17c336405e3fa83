import Engine
import Foundation
import GRDB
import Logging
import Models
import Store

typealias EngineRefusal = EngineClient.Refusal

extension LocalOrchestrator {
    /// Brings one app nearer to what is desired. One at a time for each app; who comes meanwhile makes it look once more.
    func reconcile(_ appID: AppID) async {
        guard let state = apps[appID] else { return }
        guard !state.isReconciling else {
            apps[appID]?.mustReconcileAgain = true
            return
        }
        apps[appID]?.isReconciling = true
        repeat {
            apps[appID]?.mustReconcileAgain = false
            await reconcileOnce(appID)
        } while apps[appID]?.mustReconcileAgain == true && !Task.isCancelled
        apps[appID]?.isReconciling = false
    }

    private func reconcileOnce(_ appID: AppID) async {
        guard let state = apps[appID], let desired = state.desired else { return }
        let plan = Plan(desired: desired.digests, replicas: state.replicas.values, now: .now)
        var inserts: [Slot] = []
        var launches: [ReplicaID] = []
        var asksForRoom = false
        for action in plan.actions {
            switch action {
            case .insert(let slot): inserts.append(slot)
            case .launch(let id) where !capacity.holds(id):
                guard let replica = apps[appID]?.replicas[id] else { continue }
                capacity.wait(replica.demand(of: appID))
                asksForRoom = true
            case .launch(let id):
                apps[appID]?.replicas[id]?.phase = .launching
                launches.append(id)
            case .end(let id):
                if apps[appID]?.replicas[id]?.end() == true { workInput.yield(.finish(appID, id)) }
            }
        }
        if !plan.actions.isEmpty { changed(appID) }
        for id in launches { queueLaunch(appID, id) }
        if asksForRoom { admit() }
        if let wakeAt = plan.wakeAt { wake(appID, at: wakeAt) }
        if !inserts.isEmpty { await insert(inserts, of: desired, for: appID) }
    }

    func wake(_ appID: AppID, at instant: Instant) {
        if let set = apps[appID]?.wakeAt, set <= instant { return }
        apps[appID]?.wakeAt = instant
        workInput.yield(.wake(appID, at: instant))
    }

    /// Rows before containers, all of them in one transaction.
    private func insert(_ slots: [Slot], of desired: Desired, for appID: AppID) async {
        do {
            let time = now()
            let rows = try await store.write { db in
                try slots.map { slot in
                    var row = ReplicaRecord(
                        releaseID: slot.releaseID, process: slot.process, ordinal: slot.ordinal, state: "starting", restarts: 0,
                        createdAt: time)
                    try row.insert(db)
                    return (slot, ReplicaID(db.lastInsertedRowID))
                }
            }
            for (slot, id) in rows {
                guard let member = desired.slots[slot] else { continue }
                apps[appID]?.replicas[id] = Replica(
                    id: id, slot: slot, releaseNumber: member.set.releaseNumber, process: member.set.process, digest: member.digest,
                    phase: .waiting(until: .now, failure: nil))
            }
            apps[appID]?.mustReconcileAgain = true
        } catch {
            logger.error("replica rows could not be written", metadata: ["app": "\(appID)", "cause": "\(error.cause ?? error.message)"])
            wake(appID, at: .now + .seconds(1))
        }
    }

    /// Follows the engine's events; while the engine is down, tries again every second.
    func followEvents() async {
        let label = "\(Label.platform)=\(configuration.platformID)"
        while !Task.isCancelled {
            do {
                try await engine.events(
                    label: label,
                    // What happened before the subscription is found by a look at everything.
                    opened: { workInput.yield(.audit) },
                    each: { event in
                        guard event.action == "die" else { return }
                        let code = (event.actor.attributes["exitCode"] ?? event.actor.attributes["containerExitCode"]).flatMap { Int($0) }
                        ended(containerID: event.actor.id, exitCode: code)
                    })
            } catch is CancellationError {
                return
            } catch {
                logger.debug("the engine's events broke off", metadata: ["cause": "\(error)"])
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Looks at everything the engine has, now and then.
    func resync() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.resyncInterval)
            guard !Task.isCancelled else { return }
            try? await audit()
            await firewall.refresh()
            for appID in apps.keys { workInput.yield(.reconcile(appID)) }
        }
    }

    func audit() async throws {
        // Before that, everything that runs would look like nobody's.
        guard isAdopted else { return }
        let takenAt = Instant.now
        let containers = try await engine.listContainers(labels: ["\(Label.platform)=\(configuration.platformID)"])
        let replicas = apps.values.reduce(into: [:]) { $0.merge($1.replicas) { a, _ in a } }
        for finding in Finding.audit(containers, takenAt: takenAt, replicas: replicas, oneOffs: ownedOneOffs) {
            switch finding {
            case .ended(_, let containerID): ended(containerID: containerID, exitCode: nil)
            case .orphan(let containerID):
                logger.info("removing a container that belongs to no replica", metadata: ["container": "\(containerID.prefix(12))"])
                workInput.yield(.discard(containerID: containerID))
            }
        }
    }

    /// A container of ours ended, for whatever reason.
    func ended(containerID: String, exitCode: Int?) {
        for (appID, state) in apps {
            for (id, replica) in state.replicas where replica.containerID == containerID {
                guard apps[appID]?.replicas[id]?.ended(containerID: containerID, at: .now, backoff: configuration.backoff) == true else {
                    return
                }
                changed(appID)
                workInput.yield(.bury(appID, id, containerID: containerID, exitCode: exitCode))
                return
            }
        }
        if earlyEnds.count >= 64 { earlyEnds.removeFirst() }
        earlyEnds.append(containerID)
    }
}
