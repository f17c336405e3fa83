// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names of the Docker Engine API as it spells them.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// An image as the engine describes it.
package struct EngineImage: Sendable, Hashable {
    /// "sha256:…".
    package var id: String
    /// Names it can be run by; empty for one that is only a layer of others.
    package var references: [String]
    package var labels: [String: String]
    /// Bytes, shared layers included.
    package var size: Int64
    /// Seconds since 1970; zero where the engine does not say.
    package var createdAt: Double
    /// The digests of its layers, the lowest first (OCI image specification, `rootfs.diff_ids`); empty where it was only listed.
    package var layers: [String] = []
}

extension EngineClient {
    /// - Parameter reference: a name or an id.
    /// - Returns: nil where the engine has no such image.
    package func image(_ reference: String) async throws -> EngineImage? {
        struct Answer: Decodable {
            struct Config: Decodable { var Labels: [String: String]? }
            struct Root: Decodable { var Layers: [String]? }
            var Id: String
            var RepoTags: [String]?
            var Size: Int64?
            var Config: Config?
            var RootFS: Root?
        }
        do {
            let answer = try await call(.GET, "/v1.41/images/\(Self.encode(reference))/json", as: Answer.self)
            return EngineImage(
                id: answer.Id, references: answer.RepoTags ?? [], labels: answer.Config?.Labels ?? [:], size: answer.Size ?? 0,
                createdAt: 0,
                layers: answer.RootFS?.Layers ?? [])
        } catch let refusal as Refusal where refusal.status == 404 {
            return nil
        }
    }

    /// Every image with a name.
    package func images() async throws -> [EngineImage] {
        struct Answer: Decodable {
            var Id: String
            var RepoTags: [String]?
            var Labels: [String: String]?
            var Size: Int64?
            var Created: Double?
        }
        return try await Self.again { try await call(.GET, "/v1.41/images/json", as: [Answer].self) }.map {
            EngineImage(
                id: $0.Id, references: ($0.RepoTags ?? []).filter { $0 != "<none>:<none>" }, labels: $0.Labels ?? [:], size: $0.Size ?? 0,
                createdAt: $0.Created ?? 0)
        }
    }

    /// Takes the name away, and the image with it where that was its last one. No such image is no error.
    /// - Throws: `Refusal` with status 409 where a container uses it.
    package func removeImage(_ reference: String) async throws {
        do {
            try await Self.again { try await call(.DELETE, "/v1.41/images/\(Self.encode(reference))", deadline: .seconds(120)) }
        } catch let refusal as Refusal where refusal.status == 404 {
        }
    }

    /// Makes an image of one layer from a root file system.
    /// - Parameters:
    ///   - tar: streamed, so that its size never matters.
    ///   - reference: "repository:tag".
    package func importImage<Chunks: AsyncSequence & Sendable>(
        _ tar: Chunks, reference: String, deadline: Duration = .seconds(600)
    ) async throws where Chunks.Element == [UInt8] {
        let response = try await send(
            .POST, "/v1.41/images/create?fromSrc=-&repo=\(Self.encode(reference))", headers: ["content-type": "application/x-tar"],
            body: .stream(tar.map { ByteBuffer(bytes: $0) }, length: .unknown), deadline: deadline)
        try await Self.readProgress(response)
    }

    /// Fetches an image from its registry.
    package func pullImage(_ reference: String, deadline: Duration = .seconds(900)) async throws {
        let response = try await send(.POST, "/v1.41/images/create?fromImage=\(Self.encode(reference))", deadline: deadline)
        try await Self.readProgress(response)
    }

    /// Reads a stream of JSON progress records to its end; the engine reports failures in them, after a status of 200.
    private static func readProgress(_ response: Response) async throws {
        struct Record: Decodable { var error: String? }
        var tail: [UInt8] = []
        for try await chunk in response.body {
            tail.append(contentsOf: chunk.readableBytesView)
            while let end = tail.firstIndex(of: 0x0A) {
                let line = Data(tail[..<end])
                tail.removeSubrange(...end)
                if let failure = try? JSONDecoder().decode(Record.self, from: line).error { throw Refusal(status: 500, message: failure) }
            }
            guard tail.count < 1 << 20 else { throw Refusal(status: 500, message: "an endless progress record") }
        }
        if let failure = try? JSONDecoder().decode(Record.self, from: Data(tail)).error { throw Refusal(status: 500, message: failure) }
    }
}

extension EngineClient {
    /// No such volume is no error.
    package func removeVolume(_ name: String) async throws {
        do {
            try await call(.DELETE, "/v1.41/volumes/\(Self.encode(name))", deadline: .seconds(60))
        } catch let refusal as Refusal where refusal.status == 404 {
        }
    }

    package func volumeNames() async throws -> [String] {
        struct Answer: Decodable {
            struct Volume: Decodable { var Name: String }
            var Volumes: [Volume]?
        }
        return (try await Self.again { try await call(.GET, "/v1.41/volumes", as: Answer.self) }.Volumes ?? []).map(\.Name)
    }

    /// Bytes of each volume by name. The engine walks through all of them: not for a request's path.
    package func volumeSizes() async throws -> [String: Int64] {
        struct Answer: Decodable {
            struct Usage: Decodable { var Size: Int64? }
            struct Volume: Decodable {
                var Name: String
                var UsageData: Usage?
            }
            var Volumes: [Volume]?
        }
        let answer = try await Self.again { try await call(.GET, "/v1.41/system/df", as: Answer.self, deadline: .seconds(300)) }
        return Dictionary((answer.Volumes ?? []).map { ($0.Name, max(0, $0.UsageData?.Size ?? 0)) }) { first, _ in first }
    }

    /// Podman fails with 500 where something that it lists or removes goes at the same time.
    private static func again<T>(_ body: () async throws -> T) async throws -> T {
        for attempt in 1...4 {
            do { return try await body() } catch let refusal as Refusal where refusal.status == 500 {
                try await Task.sleep(for: .milliseconds(50 * attempt * attempt))
            }
        }
        return try await body()
    }
}
