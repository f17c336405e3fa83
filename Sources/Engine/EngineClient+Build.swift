// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names of the Docker Engine API as it spells them.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

extension EngineClient {
    /// - Returns: the container's id.
    package func createBuildContainer(_ container: BuildContainer) async throws -> String {
        struct Answer: Decodable { var Id: String }
        return try await call(
            .POST, "/v1.41/containers/create?name=\(Self.encode(container.name))", json: BuildContainerBody(container), as: Answer.self,
            deadline: .seconds(60)
        ).Id
    }

    /// Unpacks a tar at the container's root; the files belong to the container's user. Works before the start too.
    package func unpack<Chunks: AsyncSequence & Sendable>(
        _ tar: Chunks, into container: String, deadline: Duration
    ) async throws where Chunks.Element == [UInt8] {
        let response = try await send(
            .PUT, "/v1.41/containers/\(container)/archive?path=%2F&copyUIDGID=1", headers: ["content-type": "application/x-tar"],
            body: .stream(tar.map { ByteBuffer(bytes: $0) }, length: .unknown), deadline: deadline)
        for try await _ in response.body {}
    }

    package func startBuildContainer(_ container: String) async throws {
        try await call(.POST, "/v1.41/containers/\(container)/start", deadline: .seconds(60))
    }

    /// Runs a command to its end, its standard output and error going to `output` as they come.
    /// - Returns: its exit code.
    package func execute(
        _ command: BuildCommand, in container: String, deadline: Duration, output: (ArraySlice<UInt8>) async -> Void
    ) async throws -> Int {
        struct Exec: Encodable {
            var AttachStdout = true
            var AttachStderr = true
            var User: String
            var Env: [String]
            var Cmd: [String]
        }
        struct Created: Decodable { var Id: String }
        struct Start: Encodable {
            var Detach = false
            var Tty = false
        }
        struct State: Decodable {
            var Running: Bool
            var ExitCode: Int?
        }
        let exec = Exec(User: command.user, Env: command.environment, Cmd: command.arguments)
        let id = try await call(.POST, "/v1.41/containers/\(container)/exec", json: exec, as: Created.self).Id
        let response = try await send(
            .POST, "/v1.41/exec/\(id)/start", headers: ["content-type": "application/json"],
            body: .bytes(ByteBuffer(bytes: JSONEncoder().encode(Start()))), deadline: deadline)
        var frames = OutputFrames()
        do {
            for try await chunk in response.body {
                for piece in frames.read(chunk.readableBytesView) { await output(piece.bytes) }
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try Task.checkCancellation()
            throw Self.unreachable(error)
        }
        let state = try await call(.GET, "/v1.41/exec/\(id)/json", as: State.self)
        guard !state.Running, let code = state.ExitCode else {
            throw Self.unreachable(Refusal(status: 500, message: "the command's output was cut off"))
        }
        return code
    }

    /// Makes an image of the container's file system and settings.
    /// - Returns: the image's id ("sha256:…").
    package func commit(_ container: String, repository: String, tag: String, labels: [String: String]) async throws -> String {
        struct Answer: Decodable { var Id: String }
        let changes = labels.sorted { $0.key < $1.key }.map { "LABEL \($0.key)=\($0.value)" }.joined(separator: "\n")
        let query =
            "container=\(container)&repo=\(Self.encode(repository))&tag=\(Self.encode(tag))&pause=false&changes=\(Self.encode(changes))"
        let id = try await call(
            .POST, "/v1.41/commit?\(query)", json: [String: String](), as: Answer.self, deadline: .seconds(300)
        ).Id
        return id.hasPrefix("sha256:") ? id : "sha256:\(id)"
    }

    /// Whether the kernel ended something in it for want of memory.
    package func ranOutOfMemory(_ container: String) async throws -> Bool {
        struct Answer: Decodable {
            struct State: Decodable { var OOMKilled: Bool? }
            var State: State
        }
        return try await call(.GET, "/v1.41/containers/\(container)/json", as: Answer.self).State.OOMKilled ?? false
    }

    /// Kills what runs in it and removes it with its anonymous volumes. No such container is no error.
    package func removeBuildContainer(_ container: String) async throws {
        do {
            try await call(.DELETE, "/v1.41/containers/\(Self.encode(container))?force=1&v=1", deadline: .seconds(60))
        } catch let refusal as Refusal where refusal.status == 404 {
        }
    }

    /// Ids of the containers, running or not, whose name begins with `prefix`.
    package func containerIDs(namePrefix prefix: String) async throws -> [String] {
        struct Answer: Decodable {
            var Id: String
            var Names: [String]
        }
        return try await call(.GET, "/v1.41/containers/json?all=1", as: [Answer].self)
            .filter { $0.Names.contains { $0.drop { $0 == "/" }.hasPrefix(prefix) } }.map(\.Id)
    }
}
