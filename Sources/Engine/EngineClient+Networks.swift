import Foundation
import NIOHTTP1

/// A bridge network as the engine describes it.
package struct EngineNetwork: Decodable, Sendable, Hashable {
    package var name: String
    package var labels: [String: String]
    /// The first IPv4 subnet in CIDR notation, and the host's address in it.
    package var subnet: String?
    package var gateway: String?

    struct Addressing: Codable {
        var driver: String?
        /// Each with "Subnet" and "Gateway".
        var ranges: [[String: String]]?

        enum CodingKeys: String, CodingKey {
            case driver = "Driver"
            case ranges = "Config"
        }
    }

    enum CodingKeys: String, CodingKey {
        case name = "Name"
        case labels = "Labels"
        case ipam = "IPAM"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        labels = try container.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
        let range = try container.decodeIfPresent(Addressing.self, forKey: .ipam)?.ranges?.first
        subnet = range?["Subnet"]
        gateway = range?["Gateway"]
    }
}

/// As Podman's own API describes one (libpod, `GET /networks/json`).
private struct LibpodNetwork: Decodable {
    struct Range: Decodable {
        var subnet: String
        var gateway: String?
    }

    var name: String
    var labels: [String: String]?
    var subnets: [Range]?
}

extension EngineNetwork {
    fileprivate init(_ network: LibpodNetwork) {
        name = network.name
        labels = network.labels ?? [:]
        subnet = network.subnets?.first?.subnet
        gateway = network.subnets?.first?.gateway
    }
}

/// The body of `POST /networks/create`.
private struct NewNetwork: Encodable {
    var name: String
    var mustBeNew = true
    var driver = "bridge"
    var addressing: EngineNetwork.Addressing
    var options: [String: String]
    var labels: [String: String]

    enum CodingKeys: String, CodingKey {
        case name = "Name"
        case mustBeNew = "CheckDuplicate"
        case driver = "Driver"
        case addressing = "IPAM"
        case options = "Options"
        case labels = "Labels"
    }
}

extension EngineClient {
    /// - Parameters:
    ///   - bridge: the interface's name on the host, at most 15 bytes.
    ///   - subnet: in CIDR notation.
    ///   - gateway: the host's address in it.
    package func createNetwork(name: String, bridge: String, subnet: String, gateway: String, labels: [String: String]) async throws {
        let body = NewNetwork(
            name: name, addressing: .init(driver: "default", ranges: [["Subnet": subnet, "Gateway": gateway]]),
            options: ["com.docker.network.bridge.name": bridge], labels: labels)
        try await call(.POST, "/v1.41/networks/create", json: body)
    }

    /// Every network that carries the labels ("key" or "key=value"); all of them where none is named.
    ///
    /// Podman's own list is asked where there is one: for Docker's it looks at every container once for every network.
    package func listNetworks(labels: [String] = []) async throws -> [EngineNetwork] {
        let query = labels.isEmpty ? "" : "?filters=\(Self.filters(["label": labels]))"
        do {
            return try await call(.GET, "/v4.0.0/libpod/networks/json\(query)", as: [LibpodNetwork].self).map(EngineNetwork.init)
        } catch let refusal as Refusal where refusal.status == 404 || refusal.status == 400 {
            // Not Podman.
            return try await call(.GET, "/v1.41/networks\(query)", as: [EngineNetwork].self)
        }
    }

    /// One that is gone is fine.
    package func removeNetwork(_ name: String) async throws {
        do {
            try await call(.DELETE, "/v1.41/networks/\(Self.encode(name))")
        } catch let refusal as Refusal where refusal.status == 404 {}
    }
}
