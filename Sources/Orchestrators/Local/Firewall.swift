import Logging
import Models
import Subprocess

/// Keeps the host's packet filter as `FirewallRules` says.
actor Firewall {
    private var rules: FirewallRules
    private let logger: Logger
    /// nil until tried; false where this host has no iptables or does not let us use it, which is said once.
    private var works: Bool?
    private var turn: Task<Void, Never>?

    init(prefix: String, insidePort: Int, logger: Logger) {
        rules = FirewallRules(prefix: prefix, insidePort: insidePort)
        self.logger = logger
    }

    /// Adds or changes an app's network. The rules stand when this returns.
    func set(_ network: FirewallRules.Network, for appID: AppID) async {
        guard rules.networks[appID] != network else { return }
        rules.networks[appID] = network
        await inTurn { await self.write() }
    }

    /// Adds or changes the network of a slot for builds, and what builds may reach of this host. The rules stand when this
    /// returns.
    func set(_ network: FirewallRules.Network, forBuilds slot: Int, may endpoints: Set<FirewallRules.Endpoint>) async {
        guard rules.builds[slot] != network || rules.buildEndpoints != endpoints else { return }
        rules.builds[slot] = network
        rules.buildEndpoints = endpoints
        await inTurn { await self.write() }
    }

    /// Takes an app's rules away; with the last network everything of ours.
    func remove(_ appID: AppID) async {
        guard rules.networks.removeValue(forKey: appID) != nil || rules.isEmpty else { return }
        await inTurn { await self.write() }
    }

    func remove(builds slot: Int) async {
        guard rules.builds.removeValue(forKey: slot) != nil else { return }
        await inTurn { await self.write() }
    }

    /// Puts back what somebody may have flushed.
    /// - Parameter clearing: takes our chains away where there is no network, as after a crash.
    func refresh(clearing: Bool = false) async {
        guard clearing || !rules.isEmpty else { return }
        await inTurn { await self.write() }
    }

    /// One writer at a time; the last one to come writes what is newest.
    private func inTurn(_ body: @escaping @Sendable () async -> Void) async {
        let before = turn
        let mine = Task {
            await before?.value
            await body()
        }
        turn = mine
        await mine.value
    }

    private func write() async {
        guard works != false else { return }
        let rules = rules
        do {
            for (command, text, version6) in [("iptables", rules.restore4, false), ("ip6tables", rules.restore6, true)] {
                if rules.isEmpty {
                    await clear(command, rules, version6: version6)
                    continue
                }
                try await call("\(command)-restore", ["-w", "5", "--noflush"], input: text)
                for jump in rules.jumps(version6: version6) where await !succeeds(command, ["-w", "5", "-t", jump.table, "-C"] + jump.rule)
                {
                    try await call(command, ["-w", "5", "-t", jump.table, "-I"] + jump.rule, input: "")
                }
            }
            if works == nil { logger.info("firewall rules keep apps and builds from this host's ports and from each other") }
            works = true
        } catch {
            works = false
            logger.error(
                "no firewall rules: apps can reach this host's ports and each other; install iptables and run as root",
                metadata: ["cause": "\(error)"])
        }
    }

    private func clear(_ command: String, _ rules: FirewallRules, version6: Bool) async {
        for jump in rules.jumps(version6: version6) { _ = await succeeds(command, ["-w", "5", "-t", jump.table, "-D"] + jump.rule) }
        for chain in rules.chains {
            _ = await succeeds(command, ["-w", "5", "-t", "mangle", "-F", chain])
            _ = await succeeds(command, ["-w", "5", "-t", "mangle", "-X", chain])
        }
    }

    private func succeeds(_ command: String, _ arguments: [String]) async -> Bool {
        (try? await call(command, arguments, input: "")) != nil
    }

    private func call(_ command: String, _ arguments: [String], input: String) async throws {
        let result = try await run(
            .name(command), arguments: .init(arguments), input: .string(input), output: .discarded, error: .string(limit: 4096))
        guard result.terminationStatus.isSuccess else {
            throw MoorError(.unavailable, "\(command): \(result.standardError)")
        }
    }
}
