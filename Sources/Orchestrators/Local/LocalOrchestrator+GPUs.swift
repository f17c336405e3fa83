import Engine
import Models

extension LocalOrchestrator {
    /// The devices a new container is given: those that the fewest containers of others have. A release shares with the one it
    /// replaces, so that a rollout does not wait for it.
    /// They are in hand until the caller gives them back, once the container is there to be counted.
    /// - Throws: `appFailed` where the host has too few and they are not optional.
    func devices(for id: ReplicaID, of releaseID: ReleaseID, _ appID: AppID, _ resources: Resources) async throws -> [String] {
        guard resources.gpus > 0 else { return [] }
        let inventory = GPUInventory.read(kind: configuration.gpuKind)
        guard inventory.devices.count >= resources.gpus else {
            if resources.areGPUsOptional { return [] }
            let there = inventory.devices.isEmpty ? "none" : "\(inventory.devices.count)"
            throw MoorError(.appFailed, "it needs \(resources.gpus) GPU\(resources.gpus == 1 ? "" : "s"); this machine has \(there)")
        }
        var uses = Dictionary(uniqueKeysWithValues: inventory.devices.map { ($0, 0) })
        var replaced = uses
        for container in try await engine.listContainers(labels: ["\(Label.platform)=\(configuration.platformID)"]) {
            let isReplaced = container.labels[Label.app] == "\(appID)" && container.labels[Label.release] != "\(releaseID)"
            for device in container.labels[Label.devices]?.split(separator: ",").map(String.init) ?? [] {
                if isReplaced { replaced[device]? += 1 } else { uses[device]? += 1 }
            }
        }
        for device in devicesInHand.values.joined() { uses[device]? += 1 }
        let byUse = inventory.devices.enumerated().sorted { a, b in
            (uses[a.element] ?? 0, replaced[a.element] ?? 0, a.offset) < (uses[b.element] ?? 0, replaced[b.element] ?? 0, b.offset)
        }
        let chosen = byUse.prefix(resources.gpus).map(\.element)
        devicesInHand[id] = chosen
        return chosen
    }
}
