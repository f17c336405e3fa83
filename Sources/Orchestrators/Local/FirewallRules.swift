import Models

/// What the host's packet filter must hold so that an app reaches the inside listener, names, and the world, and nothing
/// else of this host, and so that nobody reaches an app past the gateway. Pure text for iptables-restore(8).
///
/// The rules that drop stand in the `mangle` table: it comes before `filter`, where the engines and the host's own firewall
/// accept things in an order that nobody controls. A chain is emptied and filled in one commit, so that doing it again
/// changes nothing and there is no moment without rules.
struct FirewallRules: Hashable, Sendable {
    struct Network: Hashable, Sendable {
        var bridge: String
        var gateway: String
    }

    let prefix: String
    let insidePort: Int
    var networks: [AppID: Network] = [:]
    /// The networks of builds, by slot.
    var builds: [Int: Network] = [:]
    /// What builds may reach of this host itself: name servers, and a package index or proxy that the admin configured.
    var buildEndpoints: Set<Endpoint> = []

    struct Endpoint: Hashable, Sendable {
        /// IPv4.
        var address: String
        var port: Int
        var protocols = ["tcp"]
    }

    var isEmpty: Bool { networks.isEmpty && builds.isEmpty }

    /// Begins the name of every bridge of builds.
    static func buildsPrefix(_ prefix: String) -> String { prefix + "-" }

    private var before: String { "MOOR-\(prefix)-PRE" }
    private var input: String { "MOOR-\(prefix)-IN" }
    private var forward: String { "MOOR-\(prefix)-FWD" }

    /// A rule of a built-in chain, as arguments after `-t table -I` or `-C` or `-D`.
    struct Jump: Hashable, Sendable {
        var table: String
        var rule: [String]
    }

    /// What leads into our chains, and past a host firewall that drops what it does not know: everything that came
    /// through `mangle` may come in.
    func jumps(_ family: Firewall.Family) -> [Jump] {
        let any = prefix + "+"
        let into = [
            Jump(table: "mangle", rule: ["INPUT", "-i", any, "-j", input]),
            Jump(table: "mangle", rule: ["FORWARD", "-i", any, "-j", forward]),
            Jump(table: "mangle", rule: ["FORWARD", "-o", any, "-j", forward]),
        ]
        if family == .version6 { return into }
        return into + [
            Jump(table: "mangle", rule: ["PREROUTING", "-i", Self.buildsPrefix(prefix) + "+", "-j", before]),
            Jump(table: "filter", rule: ["INPUT", "-i", any, "-j", "ACCEPT"]),
        ]
    }

    func restore(_ family: Firewall.Family) -> String { family == .version4 ? restore4 : restore6 }

    /// Makes our chains of IPv4 what they should be.
    var restore4: String {
        let known = "-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
        var lines = ["*mangle"] + chains.map { ":\($0) - [0:0]" } + chains.map { "-A \($0) \(known)" }
        for network in networks.sorted(by: { $0.key.rawValue < $1.key.rawValue }).map(\.value) {
            let here = "-A \(input) -i \(network.bridge) -d \(network.gateway)/32"
            lines.append("\(here) -p tcp --dport \(insidePort) -j RETURN")
            lines.append("\(here) -p udp --dport 53 -j RETURN")
            lines.append("\(here) -p tcp --dport 53 -j RETURN")
            lines.append("-A \(forward) -i \(network.bridge) -o \(network.bridge) -j RETURN")
        }
        // Ports of this host, also those that lead on to another engine's containers, which is decided after this chain.
        for chain in [before, input] {
            lines += buildsMay(chain)
        }
        lines.append("-A \(before) -m addrtype --dst-type LOCAL -j DROP")
        lines.append("-A \(input) -j DROP")
        // Neither another app, nor a neighbour that routes through this host, nor another platform's app on it.
        lines.append("-A \(forward) -o \(prefix)+ -j DROP")
        lines.append("-A \(forward) -o mr+ -j DROP")
        return (lines + ["COMMIT", ""]).joined(separator: "\n")
    }

    private func buildsMay(_ chain: String) -> [String] {
        let names = builds.sorted { $0.key < $1.key }.flatMap { _, network in
            ["udp", "tcp"].map { "-A \(chain) -i \(network.bridge) -d \(network.gateway)/32 -p \($0) --dport 53 -j RETURN" }
        }
        let endpoints = buildEndpoints.sorted { ($0.address, $0.port) < ($1.address, $1.port) }.flatMap { endpoint in
            endpoint.protocols.map {
                "-A \(chain) -i \(Self.buildsPrefix(prefix))+ -d \(endpoint.address)/32 -p \($0) --dport \(endpoint.port) -j RETURN"
            }
        }
        return names + endpoints
    }

    /// The networks have no IPv6; the link-local addresses that every interface has must not be a way around.
    var restore6: String {
        (["*mangle"] + chains.map { ":\($0) - [0:0]" } + ["-A \(input) -j DROP", "-A \(forward) -j DROP", "COMMIT", ""])
            .joined(separator: "\n")
    }

    /// The chains to take away with the last network.
    var chains: [String] { [before, input, forward] }
}
