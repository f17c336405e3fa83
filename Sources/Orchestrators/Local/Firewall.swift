import Logging
import Models
import Subprocess

/// Keeps the host's packet filter as `FirewallRules` says.
actor Firewall {
    private var rules: FirewallRules
    private let logger: Logger
    /// nil until tried; false where this host has no iptables or does not let us use it, which is said once.
    private var works: Bool?
    /// The last writer, and the one that was asked for and has not begun: whoever comes meanwhile is served by it.
    private var turn: Task<Void, Never>?
    private var next: Task<Void, Never>?
    /// What was written, and what the host showed of it afterwards.
    private var standing: [Family: (text: String, lines: Set<String>)] = [:]

    enum Family: CaseIterable { case version4, version6 }

    init(prefix: String, insidePort: Int, logger: Logger) {
        rules = FirewallRules(prefix: prefix, insidePort: insidePort)
        self.logger = logger
    }

    /// Adds or changes apps' networks. The rules stand when this returns.
    func set(_ networks: [AppID: FirewallRules.Network]) async {
        guard networks.contains(where: { rules.networks[$0] != $1 }) else { return }
        rules.networks.merge(networks) { $1 }
        await write()
    }

    /// Adds or changes the network of a slot for builds, and what builds may reach of this host. The rules stand when this
    /// returns.
    func set(_ network: FirewallRules.Network, forBuilds slot: Int, may endpoints: Set<FirewallRules.Endpoint>) async {
        guard rules.builds[slot] != network || rules.buildEndpoints != endpoints else { return }
        rules.builds[slot] = network
        rules.buildEndpoints = endpoints
        await write()
    }

    /// Takes an app's rules away; with the last network everything of ours.
    func remove(_ appID: AppID) async {
        guard rules.networks.removeValue(forKey: appID) != nil || rules.isEmpty else { return }
        await write()
    }

    func remove(builds slot: Int) async {
        guard rules.builds.removeValue(forKey: slot) != nil else { return }
        await write()
    }

    /// Puts back what somebody may have flushed.
    /// - Parameter clearing: takes our chains away where there is no network, as after a crash.
    func refresh(clearing: Bool = false) async {
        guard clearing || !rules.isEmpty, works != false else { return }
        for (family, known) in standing where (try? await lines(family)) != known.lines { standing[family] = nil }
        await write()
    }

    /// One writer at a time, which writes what is newest when it begins.
    private func write() async {
        if let next { return await next.value }
        let before = turn
        let mine = Task {
            await before?.value
            next = nil
            await writeNow()
        }
        next = mine
        turn = mine
        await mine.value
    }

    private func writeNow() async {
        guard works != false else { return }
        do {
            for family in Family.allCases { try await write(rules, family) }
            if works == nil { logger.info("firewall rules keep apps and builds from this host's ports and from each other") }
            works = true
        } catch {
            works = false
            logger.error(
                "no firewall rules: apps can reach this host's ports and each other; install iptables and run as root",
                metadata: ["cause": "\(error)"])
        }
    }

    private func write(_ rules: FirewallRules, _ family: Family) async throws {
        guard !rules.isEmpty else {
            standing[family] = nil
            return await clear(rules, family)
        }
        let text = rules.restore(family)
        guard standing[family]?.text != text else { return }
        try await call("\(family.command)-restore", ["-w", "5", "--noflush"], input: text)
        var lines = try await lines(family)
        let missing = rules.jumps(family).filter { !lines.contains("-A " + $0.rule.joined(separator: " ")) }
        for jump in missing { try await call(family.command, ["-w", "5", "-t", jump.table, "-I"] + jump.rule) }
        if !missing.isEmpty { lines = try await self.lines(family) }
        standing[family] = (text, lines)
    }

    /// The rules of the host that are ours, as iptables-save(8) writes them.
    private func lines(_ family: Family) async throws -> Set<String> {
        let saved = try await call("\(family.command)-save", [])
        return Set(saved.split(separator: "\n").filter { $0.hasPrefix("-A ") && $0.contains(rules.prefix) }.map(String.init))
    }

    private func clear(_ rules: FirewallRules, _ family: Family) async {
        for jump in rules.jumps(family) { _ = try? await call(family.command, ["-w", "5", "-t", jump.table, "-D"] + jump.rule) }
        for chain in rules.chains {
            for verb in ["-F", "-X"] { _ = try? await call(family.command, ["-w", "5", "-t", "mangle", verb, chain]) }
        }
    }

    /// - Returns: what the command printed.
    @discardableResult
    private func call(_ command: String, _ arguments: [String], input: String = "") async throws -> String {
        let result = try await run(
            .name(command), arguments: .init(arguments), input: .string(input), output: .string(limit: 16 << 20),
            error: .string(limit: 4096))
        guard result.terminationStatus.isSuccess else {
            throw MoorError(.unavailable, "\(command): \(result.standardError)")
        }
        return result.standardOutput
    }
}

extension Firewall.Family {
    var command: String { self == .version4 ? "iptables" : "ip6tables" }
}
