import Engine
import Models

extension LocalOrchestrator {
    /// The devices a new container is given: those that the fewest containers have. They are shared where they must be, so
    /// that a rollout does not wait for the release it replaces.
    /// They are in hand until the caller gives them back, once the container is there to be counted.
    /// - Throws: `appFailed` where the host has too few and they are not optional.
    func devices(for replicaID: ReplicaID, _ resources: Resources) async throws -> [String] {
        guard resources.gpus > 0 else { return [] }
        let inventory = GPUInventory.read(kind: configuration.gpuKind)
        guard inventory.devices.count >= resources.gpus else {
            if resources.areGPUsOptional { return [] }
            throw MoorError(.appFailed, Self.tooFew(wanted: resources.gpus, there: inventory.devices.count))
        }
        var uses = Dictionary(uniqueKeysWithValues: inventory.devices.map { ($0, 0) })
        for container in try await engine.listContainers(labels: ["\(Label.platform)=\(configuration.platformID)"]) {
            for device in container.labels[Label.devices]?.split(separator: ",") ?? [] { uses[String(device)]? += 1 }
        }
        for device in devicesInHand.values.joined() { uses[device]? += 1 }
        let byUse = inventory.devices.enumerated().sorted { (uses[$0.element] ?? 0, $0.offset) < (uses[$1.element] ?? 0, $1.offset) }
        let chosen = byUse.prefix(resources.gpus).map(\.element)
        devicesInHand[replicaID] = chosen
        return chosen
    }

    static func tooFew(wanted: Int, there: Int) -> String {
        "it needs \(wanted) GPU\(wanted == 1 ? "" : "s"); this host has \(there == 0 ? "none" : "\(there)")"
    }
}
