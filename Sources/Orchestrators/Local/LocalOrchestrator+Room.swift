import Engine
import Logging
import Models

extension LocalOrchestrator {
    /// Launches what there is a place for now, the oldest first, and says of the rest what it needs.
    func admit() {
        var places: [ReplicaID: AppID] = [:]
        var waiting: Set<ReplicaID> = []
        for (appID, state) in apps {
            for (id, replica) in state.replicas {
                places[id] = appID
                if case .waiting = replica.phase { waiting.insert(id) }
            }
        }
        capacity.keep(present: Set(places.keys), waiting: waiting)
        let total = totalRoom()
        for id in capacity.admit(total: total) {
            guard let appID = places[id] else { continue }
            apps[appID]?.replicas[id]?.pending = nil
            apps[appID]?.replicas[id]?.phase = .launching
            changed(appID)
            queueLaunch(appID, id)
        }
        for demand in capacity.queue.values {
            guard let replica = apps[demand.appID]?.replicas[demand.id] else { continue }
            let reason = capacity.reason(for: demand, total: total)
            guard replica.pending != reason else { continue }
            if replica.pending == nil {
                var metadata = metadata(demand.appID, replica)
                metadata["reason"] = "\(reason ?? "")"
                logger.notice("replica is pending", metadata: metadata)
            }
            apps[demand.appID]?.replicas[demand.id]?.pending = reason
            changed(demand.appID)
        }
    }

    private func totalRoom() -> Room {
        var total = configuration.room ?? .endless
        let countsGPUs = (Array(capacity.queue.values) + Array(capacity.holders.values)).contains { $0.room.gpus > 0 }
        total.gpus = countsGPUs ? GPUInventory.read(kind: configuration.gpuKind).devices.count : 0
        return total
    }

    /// Looks at what replicas with a cap on their disk have written. No engine caps that on every file system, so one that is
    /// above its cap is ended, at once as it goes on writing; the container after it starts with an empty disk.
    func watchDisks() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.diskInterval)
            for (appID, state) in apps {
                for (id, replica) in state.replicas {
                    guard let cap = replica.process.resources.diskBytes, case .running(let containerID, _, _, _) = replica.phase,
                        let written = try? await engine.writtenBytes(by: containerID), written > cap
                    else { continue }
                    logger.notice("replica wrote too much to its disk", metadata: metadata(appID, replica))
                    await stop(
                        appID, id, containerID: containerID,
                        because: "wrote \(Quantity.text(bytes: written)) to its disk; its cap is \(Quantity.text(bytes: cap))", grace: 0)
                }
            }
        }
    }
}

extension Replica {
    func demand(of appID: AppID) -> Capacity.Demand {
        Capacity.Demand(id: id, appID: appID, releaseID: slot.releaseID, room: process.demand)
    }
}
