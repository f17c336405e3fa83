import Engine
import Foundation
package import Models

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension LocalOrchestrator {
    /// The network that builds of one slot run on: made, behind its firewall rules. Builds of different slots are on different
    /// networks, as nothing that every engine and host has keeps two containers of one bridge apart.
    ///
    /// From it neither this host's own addresses answer, nor apps, nor other builds; everything else does, on private addresses
    /// too. What the configuration names as `buildEndpoints` and the host's name servers answer wherever they are.
    /// - Parameter slot: from zero; one build at a time is on it.
    /// - Returns: the network's name in the engine.
    package func buildsNetwork(slot: Int) async throws(MoorError) -> String {
        // Looked for each time: an admin may have pruned it.
        let before = lastNetwork
        let task = Task {
            _ = await before?.result
            return try await self.makeBuildsNetwork(slot)
        }
        lastNetwork = task
        do {
            let network = try await task.value
            buildNetworks[slot] = network
            return network.name
        } catch {
            throw engineError(error, "the network for builds could not be made")
        }
    }

    private func makeBuildsNetwork(_ slot: Int) async throws -> AppNetwork {
        let name = names.network(builds: slot)
        let bridge = names.bridge(builds: slot)
        let labels = [Label.platform: configuration.platformID, Label.builds: "\(slot)"]
        let gateway = try await ensureNetwork(name: name, bridge: bridge, seed: "builds \(slot)", labels: labels)
        let endpoints = await Self.endpoints(configuration.buildEndpoints)
        await firewall.set(.init(bridge: bridge, gateway: gateway), forBuilds: slot, may: endpoints)
        return AppNetwork(name: name, bridge: bridge, gateway: gateway)
    }

    /// Away from the actor: a name server may take its time.
    @concurrent private static func endpoints(_ named: [String]) async -> Set<FirewallRules.Endpoint> {
        var endpoints: Set<FirewallRules.Endpoint> = []
        for text in named {
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port) else {
                continue
            }
            for address in addresses(of: String(text[..<colon])) { endpoints.insert(.init(address: address, port: port)) }
        }
        let resolver = (try? String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8)) ?? ""
        for server in nameServers(resolver) { endpoints.insert(.init(address: server, port: 53, protocols: ["tcp", "udp"])) }
        return endpoints
    }

    /// The IPv4 addresses of resolv.conf(5), but those of the loopback, which no container reaches.
    static func nameServers(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2, words[0] == "nameserver", let address = Subnet.address(words[1]), address >> 24 != 127 else {
                return nil
            }
            return Subnet.text(address)
        }
    }

    private static func addresses(of host: String) -> [String] {
        if let address = Subnet.address(host) { return [Subnet.text(address)] }
        // unsafe: the structure holds pointers, which stay nil here.
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_INET
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // unsafe: getaddrinfo fills a list that is freed below, and keeps nothing of what it is handed.
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        var found: [String] = []
        var next = unsafe list
        while let entry = unsafe next {
            // unsafe: an entry of family AF_INET carries a sockaddr_in.
            let address = unsafe entry.pointee.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe $0.pointee.sin_addr.s_addr
            }
            found.append(Subnet.text(UInt32(bigEndian: address)))
            unsafe next = unsafe entry.pointee.ai_next
        }
        return Array(Set(found)).sorted()
    }
}

extension LocalOrchestrator {
    /// Takes the networks for builds away, with their rules. No build may be running.
    package func removeBuildsNetworks() async throws(MoorError) {
        do {
            for (slot, network) in buildNetworks {
                try await engine.removeNetwork(network.name)
                buildNetworks[slot] = nil
                await firewall.remove(builds: slot)
            }
        } catch {
            throw engineError(error, "the networks for builds could not be removed")
        }
    }
}
