import Foundation
import NIOHTTP1

/// A container as the engine lists it.
package struct ContainerSummary: Decodable, Sendable, Hashable {
    package var id: String
    package var labels: [String: String]
    /// "created", "running", "exited", "dead", …
    package var state: String
    private var settings: NetworkSettings?

    /// Its IPv4 address in a network; nil before it has one.
    package func address(in network: String) -> String? { settings?.address(in: network) }

    package var isRunning: Bool { state == "running" || state == "paused" || state == "restarting" }

    enum CodingKeys: String, CodingKey {
        case id = "Id"
        case labels = "Labels"
        case state = "State"
        case settings = "NetworkSettings"
    }

    package init(id: String, labels: [String: String], state: String) {
        self.id = id
        self.labels = labels
        self.state = state
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        labels = try container.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
        state = try container.decodeIfPresent(String.self, forKey: .state) ?? ""
        settings = try container.decodeIfPresent(NetworkSettings.self, forKey: .settings)
    }
}

/// The networks that a container is in.
private struct NetworkSettings: Decodable, Sendable, Hashable {
    struct Attachment: Decodable, Sendable, Hashable {
        var address: String?

        enum CodingKeys: String, CodingKey {
            case address = "IPAddress"
        }
    }

    var networks: [String: Attachment]?

    func address(in network: String) -> String? {
        networks?[network]?.address.flatMap { $0.isEmpty ? nil : $0 }
    }

    enum CodingKeys: String, CodingKey {
        case networks = "Networks"
    }
}

/// A container as the engine describes it.
package struct ContainerDetails: Decodable, Sendable {
    package struct State: Decodable, Sendable {
        package var running: Bool
        /// Of its init process, on the host; 0 where none runs.
        package var pid: Int
        package var exitCode: Int
        package var oomKilled: Bool
        /// Why it could not be started, in the engine's words.
        package var error: String?

        enum CodingKeys: String, CodingKey {
            case running = "Running"
            case pid = "Pid"
            case exitCode = "ExitCode"
            case oomKilled = "OOMKilled"
            case error = "Error"
        }
    }

    package var state: State
    private var settings: NetworkSettings?

    /// Its IPv4 address in a network; nil before it has one.
    package func address(in network: String) -> String? {
        settings?.address(in: network)
    }

    enum CodingKeys: String, CodingKey {
        case state = "State"
        case settings = "NetworkSettings"
    }
}

private struct Created: Decodable {
    var id: String

    enum CodingKeys: String, CodingKey {
        case id = "Id"
    }
}

private struct ContainerSize: Decodable {
    var written: Int64?

    enum CodingKeys: String, CodingKey {
        case written = "SizeRw"
    }
}

private struct ImageDetails: Decodable {
    struct Config: Decodable {
        var user: String?

        enum CodingKeys: String, CodingKey {
            case user = "User"
        }
    }
    var config: Config?

    enum CodingKeys: String, CodingKey {
        case config = "Config"
    }
}

extension EngineClient {
    /// - Returns: the container's id.
    package func createContainer(_ spec: ContainerSpec, name: String) async throws -> String {
        if !spec.host.devices.isEmpty {
            do {
                return try await call(
                    .POST, "/v4.0.0/libpod/containers/create", json: LibpodContainerSpec(spec, name: name), as: Created.self
                ).id
            } catch let refusal as Refusal where refusal.status == 404 && !refusal.message.contains("image") {
                // Not Podman.
            }
        }
        return try await call(.POST, "/v1.41/containers/create?name=\(Self.encode(name))", json: spec, as: Created.self).id
    }

    package func startContainer(_ id: String) async throws {
        try await call(.POST, "/v1.41/containers/\(Self.encode(id))/start", deadline: .seconds(60))
    }

    /// SIGTERM, then SIGKILL after `grace` seconds; returns when it has ended. One that is gone or has ended is fine.
    package func stopContainer(_ id: String, grace: Int) async throws {
        do {
            try await call(.POST, "/v1.41/containers/\(Self.encode(id))/stop?t=\(grace)", deadline: .seconds(grace + 20))
        } catch let refusal as Refusal where refusal.status == 404 || refusal.status == 304 {}
    }

    /// Kills and removes it with its anonymous volumes. One that is gone, or being removed, is fine.
    package func removeContainer(_ id: String) async throws {
        do {
            try await call(.DELETE, "/v1.41/containers/\(Self.encode(id))?force=1&v=1", deadline: .seconds(60))
        } catch let refusal as Refusal where refusal.status == 404 || (refusal.status == 409 && refusal.message.contains("progress")) {}
    }

    /// nil where there is none.
    package func inspectContainer(_ id: String) async throws -> ContainerDetails? {
        do {
            return try await call(.GET, "/v1.41/containers/\(Self.encode(id))/json", as: ContainerDetails.self)
        } catch let refusal as Refusal where refusal.status == 404 { return nil }
    }

    /// Bytes that a container wrote over its image; nil where it is gone. The engine walks through its files for it.
    package func writtenBytes(by id: String) async throws -> Int64? {
        do {
            return try await call(.GET, "/v1.41/containers/\(Self.encode(id))/json?size=1", as: ContainerSize.self).written
        } catch let refusal as Refusal where refusal.status == 404 { return nil }
    }

    /// Every container, ended ones too, that carries all of the labels ("key" or "key=value").
    package func listContainers(labels: [String]) async throws -> [ContainerSummary] {
        try await call(.GET, "/v1.41/containers/json?all=1&filters=\(Self.filters(["label": labels]))", as: [ContainerSummary].self)
    }

    /// The user the image says its containers run as; empty where it says none.
    package func imageUser(_ image: String) async throws -> String {
        let path = image.split(separator: "/", omittingEmptySubsequences: false).map { Self.encode(String($0)) }.joined(separator: "/")
        return try await call(.GET, "/v1.41/images/\(path)/json", as: ImageDetails.self).config?.user ?? ""
    }

    static func filters(_ filters: [String: [String]]) -> String {
        let data = (try? JSONEncoder().encode(filters)) ?? Data("{}".utf8)
        return encode(String(decoding: data, as: UTF8.self))
    }
}
