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

    private var input: String { "MOOR-\(prefix)-IN" }
    private var forward: String { "MOOR-\(prefix)-FWD" }

    /// A rule of a built-in chain, as arguments after `-t table -I` or `-C` or `-D`.
    struct Jump: Hashable, Sendable {
        var table: String
        var rule: [String]
    }

    /// What leads into our chains, and past a host firewall that drops what it does not know: everything that came
    /// through `mangle` may come in.
    func jumps(version6: Bool) -> [Jump] {
        let any = prefix + "+"
        let into = [
            Jump(table: "mangle", rule: ["INPUT", "-i", any, "-j", input]),
            Jump(table: "mangle", rule: ["FORWARD", "-i", any, "-j", forward]),
            Jump(table: "mangle", rule: ["FORWARD", "-o", any, "-j", forward]),
        ]
        return version6 ? into : into + [Jump(table: "filter", rule: ["INPUT", "-i", any, "-j", "ACCEPT"])]
    }

    /// Makes our chains of IPv4 what they should be.
    var restore4: String {
        let known = "-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
        var lines = ["*mangle", ":\(input) - [0:0]", ":\(forward) - [0:0]", "-A \(input) \(known)", "-A \(forward) \(known)"]
        for network in networks.sorted(by: { $0.key.rawValue < $1.key.rawValue }).map(\.value) {
            let here = "-A \(input) -i \(network.bridge) -d \(network.gateway)/32"
            lines.append("\(here) -p tcp --dport \(insidePort) -j RETURN")
            lines.append("\(here) -p udp --dport 53 -j RETURN")
            lines.append("\(here) -p tcp --dport 53 -j RETURN")
            lines.append("-A \(forward) -i \(network.bridge) -o \(network.bridge) -j RETURN")
        }
        lines.append("-A \(input) -j DROP")
        // Neither another app, nor a neighbour that routes through this host, nor another platform's app on it.
        lines.append("-A \(forward) -o \(prefix)+ -j DROP")
        lines.append("-A \(forward) -o mr+ -j DROP")
        return (lines + ["COMMIT", ""]).joined(separator: "\n")
    }

    /// The networks have no IPv6; the link-local addresses that every interface has must not be a way around.
    var restore6: String {
        ["*mangle", ":\(input) - [0:0]", ":\(forward) - [0:0]", "-A \(input) -j DROP", "-A \(forward) -j DROP", "COMMIT", ""]
            .joined(separator: "\n")
    }

    /// The chains to take away with the last network.
    var chains: [String] { [input, forward] }
}
