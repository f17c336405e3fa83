import Engine
import Foundation
import GRDB
import Logging
package import Models
import Store

extension LocalOrchestrator {
    private struct Row: Sendable {
        var replica: ReplicaRecord
        var release: ReleaseRecord
        var app: AppRecord
    }

    /// Takes over what an earlier process left: to be called once, before any `apply`.
    ///
    /// Containers that run and have a row go on as they are, and so do commands that nobody is at the other end of; every
    /// other container of ours is removed. Rows without a running container wait for the first `apply` to launch them again or
    /// to end them. Nothing else is changed until an app's workload is applied.
    package func adopt() async throws(MoorError) {
        let rows = try await store.read { db in
            try ReplicaRecord.fetchAll(db).compactMap { replica -> Row? in
                guard let release = try ReleaseRecord.fetchOne(db, key: replica.releaseID),
                    let app = try AppRecord.fetchOne(db, key: release.appID)
                else { return nil }
                return Row(replica: replica, release: release, app: app)
            }
        }
        let containers: [ContainerSummary]
        let networks: [EngineNetwork]
        do {
            containers = try await engine.listContainers(labels: ["\(Label.platform)=\(configuration.platformID)"])
            networks = try await engine.listNetworks(labels: ["\(Label.platform)=\(configuration.platformID)"])
        } catch {
            throw engineError(error, "the engine's containers could not be listed")
        }
        var byReplica = Dictionary(grouping: adoptOneOffs(among: containers)) { $0.labels[Label.replica].flatMap { Int64($0) } }
        for row in rows {
            let mine = byReplica[row.replica.id?.rawValue] ?? []
            let running = mine.filter(\.isRunning)
            let chosen = running.first { $0.id == row.replica.containerID } ?? running.first
            adopt(row, chosen)
            byReplica[row.replica.id?.rawValue] = mine.filter { $0.id != chosen?.id }
        }
        await removeOrphans(byReplica.values.flatMap(\.self))
        await restoreNetworks(networks)
        isAdopted = true
        workInput.yield(.audit)
    }

    private func adopt(_ row: Row, _ container: ContainerSummary?) {
        guard let id = row.replica.id, let appID = row.app.id, apps[appID]?.replicas[id] == nil else { return }
        // A process that its release no longer names has nothing to be checked by; it can only be ended.
        let process =
            row.release.processes.first { $0.name == row.replica.process } ?? ProcessSpec(name: row.replica.process, command: "")
        var replica = Replica(
            id: id, slot: Slot(releaseID: row.replica.releaseID, process: row.replica.process, ordinal: row.replica.ordinal),
            releaseNumber: row.release.number, process: process, digest: container?.labels[Label.spec] ?? "", phase: .launching,
            restarts: row.replica.restarts)
        if let container {
            replica.started(
                containerID: container.id, address: container.address(in: names.network(appID)), at: .now, unixTime: row.replica.createdAt)
            workInput.yield(.watch(appID, id, containerID: container.id))
            logger.info(
                "replica adopted",
                metadata: ["app": "\(row.app.name)", "release": "v\(row.release.number)", "replica": "\(replica.name)"])
        } else {
            // Its container, if there is one that ended since, is found by the look at everything.
            replica.phase = .waiting(until: .now, failure: nil)
        }
        // What has had a container keeps its place, before anything that waits.
        if row.replica.containerID != nil || container != nil { capacity.hold(replica.demand(of: appID)) }
        apps[appID, default: AppState(app: row.app.name)].replicas[id] = replica
        changed(appID)
    }

    private func removeOrphans(_ orphans: [ContainerSummary]) async {
        await withTaskGroup { group in
            for orphan in orphans {
                logger.info("removing a container that belongs to no replica", metadata: ["container": "\(orphan.id.prefix(12))"])
                group.addTask { try? await self.engine.removeContainer(orphan.id) }
            }
        }
    }

    /// The platform listens inside again, the firewall knows them again; those of apps that are gone are removed.
    private func restoreNetworks(_ networks: [EngineNetwork]) async {
        let known: [AppID: AppName]? = try? await store.read { db in
            try Dictionary(uniqueKeysWithValues: AppRecord.fetchAll(db).compactMap { app in app.id.map { ($0, app.name) } })
        }
        guard let known else { return }
        let live = Self.liveSubnets()
        var usable: [AppID: AppNetwork] = [:]
        for network in networks {
            guard let appID = network.labels[Label.app].flatMap({ Int64($0) }).map({ AppID($0) }) else { continue }
            guard known[appID] != nil else {
                try? await engine.removeNetwork(network.name)
                continue
            }
            let bridge = names.bridge(appID)
            // One that collides is looked at again, and made anew, when it is needed.
            guard let gateway = network.gateway, !Self.collides(network, with: live, besides: bridge) else { continue }
            usable[appID] = AppNetwork(name: network.name, bridge: bridge, gateway: gateway)
        }
        await firewall.set(usable.mapValues { .init(bridge: $0.bridge, gateway: $0.gateway) })
        await withTaskGroup { group in
            for (appID, network) in usable {
                guard let app = known[appID], apps[appID]?.network == nil else { continue }
                group.addTask { await self.takeOver(network, of: appID, app) }
            }
        }
        // What is left of apps that are gone.
        await firewall.refresh(clearing: true)
    }

    private func takeOver(_ network: AppNetwork, of appID: AppID, _ app: AppName) async {
        do {
            var network = network
            network.environment = try await networkReady(app, network.gateway)
            if apps[appID]?.network == nil { apps[appID, default: AppState(app: app)].network = Task { [network] in network } }
        } catch {
            logger.error("an app's network could not be taken over", metadata: ["app": "\(app)", "cause": "\(error)"])
        }
    }
}
