import Engine
import Foundation
import Logging
import Models

/// An app's own bridge.
struct AppNetwork: Sendable, Hashable {
    var name: String
    var bridge: String
    /// The host's address in it.
    var gateway: String
    /// What the platform adds to the environment of the app's processes.
    var environment: [String: String] = [:]
}

extension LocalOrchestrator {
    /// The app's network: made, behind its firewall rules, with the platform listening inside. Made once; a failure is
    /// tried again by the next who asks.
    func network(of appID: AppID, app: AppName) async throws -> AppNetwork {
        if let made = apps[appID]?.network { return try await made.value }
        let before = lastNetwork
        let task = Task {
            _ = await before?.result
            return try await self.makeNetwork(appID, app: app)
        }
        apps[appID, default: AppState(app: app)].network = task
        lastNetwork = task
        do { return try await task.value } catch {
            if apps[appID]?.network == task { apps[appID]?.network = nil }
            throw error
        }
    }

    private func makeNetwork(_ appID: AppID, app: AppName) async throws -> AppNetwork {
        let name = names.network(appID)
        let bridge = names.bridge(appID)
        let labels = [Label.platform: configuration.platformID, Label.app: "\(appID)", Label.appName: app.rawValue]
        let gateway = try await ensureNetwork(name: name, bridge: bridge, seed: "\(appID)", labels: labels)
        await firewall.set([appID: .init(bridge: bridge, gateway: gateway)])
        let environment = try await networkReady(app, gateway)
        return AppNetwork(name: name, bridge: bridge, gateway: gateway, environment: environment)
    }

    /// - Returns: the host's address in it.
    func ensureNetwork(name: String, bridge: String, seed: String, labels: [String: String]) async throws -> String {
        let existing = try await engine.listNetworks()
        if let mine = existing.first(where: { $0.name == name }), let address = mine.gateway,
            try await isUsable(mine, bridge: bridge)
        {
            return address
        }
        return try await createNetwork(name: name, bridge: bridge, seed: seed, labels: labels, existing: existing)
    }

    /// Another's network may have come to this one's addresses while it was not live; then it is made anew, unless in use.
    private func isUsable(_ network: EngineNetwork, bridge: String) async throws -> Bool {
        guard Self.collides(network, with: Self.liveSubnets(), besides: bridge) else { return true }
        if let app = network.labels[Label.app] {
            let label = ["\(Label.platform)=\(configuration.platformID)", "\(Label.app)=\(app)"]
            guard try await engine.listContainers(labels: label).isEmpty else { return true }
        }
        logger.notice("a network collides with another on this host and is made anew", metadata: ["network": "\(network.name)"])
        try await engine.removeNetwork(network.name)
        return false
    }

    private func createNetwork(
        name: String, bridge: String, seed: String, labels: [String: String], existing: [EngineNetwork]
    ) async throws -> String {
        guard let pool = Subnet(configuration.subnetPool) else {
            throw MoorError(.invalid, "“\(configuration.subnetPool)” is no IPv4 network", hint: "write it such as 10.212.0.0/14")
        }
        var taken =
            existing.filter { $0.name != name }.compactMap { $0.subnet.flatMap { Subnet($0) } }
            + Self.liveSubnets().filter { $0.interface != bridge }.map(\.subnet)
        let seed = stableHash("\(configuration.platformID)/\(seed)".utf8)
        var refusal: EngineRefusal?
        for _ in 0..<4 {
            guard let subnet = Subnet.free(in: pool, seed: seed, taken: taken) else {
                throw MoorError(
                    .unavailable, "there is no free network left in \(pool)", hint: "the platform's admin can set a larger pool of networks"
                )
            }
            do {
                try await engine.createNetwork(name: name, bridge: bridge, subnet: "\(subnet)", gateway: subnet.gateway, labels: labels)
                return subnet.gateway
            } catch let error as EngineRefusal {
                // Somebody took it since we looked.
                refusal = error
                taken.append(subnet)
            }
        }
        throw refusal ?? engineDown
    }

    static func collides(_ network: EngineNetwork, with live: [LiveSubnet], besides bridge: String) -> Bool {
        guard let subnet = network.subnet.flatMap({ Subnet($0) }) else { return false }
        return live.contains { $0.interface != bridge && subnet.overlaps($0.subnet) }
    }

    /// Every network this host routes to at the moment.
    static func liveSubnets() -> [LiveSubnet] {
        Subnet.routes((try? String(contentsOfFile: "/proc/net/route", encoding: .utf8)) ?? "")
    }
}
