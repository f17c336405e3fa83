// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names of the Docker Engine API as it spells them.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A repository's Dockerfile, to be built by the engine's own builder.
package struct ImageBuild: Sendable {
    /// Its path in the context.
    package var dockerfile: String
    /// "repository:tag" of the image it becomes.
    package var reference: String
    /// Of the predefined build arguments (proxies); anything else would stay in the image's history.
    package var arguments: [String: String]
    package var cpuMillis: Int
    package var memoryBytes: Int64
    /// Soft and hard limit alike, by the engine's names ("nofile").
    package var rlimits: [String: Int]
    /// The control group that all it runs is in, so that it can be ended: Podman 4.3 leaves it running otherwise.
    package var controlGroup: String
    /// The name of the network that its commands get; never the host's.
    package var network: String
    /// A file of the host that commands read trusted certificates from, and where.
    package var certificates: (file: String, target: String)?

    package init(
        dockerfile: String, reference: String, arguments: [String: String], cpuMillis: Int, memoryBytes: Int64,
        rlimits: [String: Int], controlGroup: String, network: String, certificates: (file: String, target: String)?
    ) {
        self.dockerfile = dockerfile
        self.reference = reference
        self.arguments = arguments
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.rlimits = rlimits
        self.controlGroup = controlGroup
        self.network = network
        self.certificates = certificates
    }

    /// Podman's own endpoint takes a network by name and a mount; the one it has for Docker's clients does neither, and puts
    /// commands on the host's network.
    func path(isPodman: Bool) throws -> String {
        func json(_ value: some Encodable) throws -> String { String(decoding: try JSONEncoder().encode(value), as: UTF8.self) }
        var query = [
            "dockerfile": dockerfile, "t": reference, "buildargs": try json(arguments), "rm": "1",
            "forcerm": "1",
            "memory": "\(memoryBytes)", "memswap": "\(memoryBytes)", "cpuperiod": "100000", "cpuquota": "\(cpuMillis * 100)",
        ]
        if isPodman {
            struct Namespace: Encodable {
                var Name = "network"
                var Host = false
                var Path: String
            }
            query["layers"] = "true"
            // Without a format it looks for none of the layers that are there. Docker's knows SHELL, which OCI's does not.
            query["outputformat"] = "application/vnd.docker.distribution.manifest.v2+json"
            query["cgroupparent"] = controlGroup
            // Its default network has another name there.
            query["nsoptions"] = try json([Namespace(Path: network == "bridge" ? "podman" : network)])
            query["ulimits"] = try json(rlimits.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value):\($0.value)" })
            if let certificates { query["volume"] = "\(certificates.file):\(certificates.target):ro" }
        } else {
            query["networkmode"] = network
        }
        let pairs = query.sorted { $0.key < $1.key }.map { "\($0.key)=\(EngineClient.encode($0.value))" }
        return (isPodman ? "/v4.0.0/libpod/build?" : "/v1.41/build?") + pairs.joined(separator: "&")
    }
}

extension EngineClient {
    private struct BuildRecord: Decodable {
        var stream: String?
        var error: String?
    }

    /// What the engine's builder says went wrong.
    package struct BuildFailure: Error, Sendable {
        package var message: String
    }

    /// Builds a Dockerfile of the context, its output going to `output` as it comes.
    /// - Throws: `BuildFailure` where a step fails.
    package func buildImage<Chunks: AsyncSequence & Sendable>(
        _ build: ImageBuild, context: Chunks, deadline: Duration, output: (String) async -> Void
    ) async throws where Chunks.Element == [UInt8] {
        let response = try await send(
            .POST, try build.path(isPodman: try await isPodman()), headers: ["content-type": "application/x-tar"],
            body: .stream(context.map { ByteBuffer(bytes: $0) }, length: .unknown), deadline: deadline)
        var tail: [UInt8] = []
        for try await chunk in response.body {
            tail.append(contentsOf: chunk.readableBytesView)
            while let end = tail.firstIndex(of: 0x0A) {
                let line = Data(tail[..<end])
                tail.removeSubrange(...end)
                guard let record = try? JSONDecoder().decode(BuildRecord.self, from: line) else { continue }
                if let text = record.stream { await output(text) }
                if let failure = record.error { throw BuildFailure(message: failure) }
            }
            guard tail.count < 4 << 20 else { throw Refusal(status: 500, message: "an endless line of a build") }
        }
    }

    /// Which of the two engines answers on the socket.
    package func isPodman() async throws -> Bool {
        struct Version: Decodable {
            struct Component: Decodable { var Name: String }
            var Components: [Component]?
        }
        return try await call(.GET, "/v1.41/version", as: Version.self).Components?.contains { $0.Name.hasPrefix("Podman") } ?? false
    }

    /// Gives an image one more name.
    package func tagImage(_ reference: String, repository: String, tag: String) async throws {
        try await call(
            .POST, "/v1.41/images/\(Self.encode(reference))/tag?repo=\(Self.encode(repository))&tag=\(Self.encode(tag))")
    }

    /// What an image says about how it is run.
    package struct ImageSettings: Sendable, Hashable {
        /// TCP ports, in order.
        package var ports: [Int]
        package var user: String
        /// Whether it names something to run.
        package var runs: Bool
    }

    package func imageSettings(_ reference: String) async throws -> ImageSettings {
        struct Empty: Decodable {}
        struct Answer: Decodable {
            struct Config: Decodable {
                var ExposedPorts: [String: Empty]?
                var User: String?
                var Entrypoint: [String]?
                var Cmd: [String]?
            }
            var Config: Config
        }
        let config = try await call(.GET, "/v1.41/images/\(Self.encode(reference))/json", as: Answer.self).Config
        let ports = (config.ExposedPorts ?? [:]).keys.compactMap { key -> Int? in
            let parts = key.split(separator: "/")
            return parts.count == 1 || parts[1] == "tcp" ? Int(parts[0]) : nil
        }
        let command = (config.Entrypoint ?? []) + (config.Cmd ?? [])
        return ImageSettings(ports: ports.sorted(), user: config.User ?? "", runs: !command.isEmpty)
    }
}
