import Foundation
import Subprocess
import TestSupport
import Testing

/// A folder served over HTTP where build containers reach it.
struct ServedFolder: Sendable {
    var port: String
    /// The engine's default bridge, on which builds run.
    var host: String

    var url: String { "http://\(host):\(port)" }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    static let script = root.appending(path: "Tests/JourneyTests/support/conda_channel.py").path

    /// - Parameter credentials: "user:password" that it asks for.
    static func serve<T: Sendable>(
        _ folder: String, _ credentials: String? = nil, _ body: @Sendable (ServedFolder) async throws -> T
    ) async throws -> T {
        let podman = try #require(EngineSuite.engine)
        let host = try await podman.podman("network", "inspect", "podman", "--format", "{{(index .Subnets 0).Gateway}}")
        return try await run(
            .name("python3"), arguments: .init([script, "serve", folder] + (credentials.map { [$0] } ?? [])), input: .inputWriter,
            output: .sequence, error: .discarded
        ) { process in
            var lines = process.standardOutput.strings().makeAsyncIterator()
            let port = try #require(try await lines.next())
            let outcome: Result<T, any Error>
            do {
                outcome = .success(
                    try await body(
                        ServedFolder(
                            port: port.trimmingCharacters(in: .whitespacesAndNewlines),
                            host: host.trimmingCharacters(in: .whitespacesAndNewlines))))
            } catch {
                outcome = .failure(error)
            }
            try await process.standardInputWriter.finish()
            return try outcome.get()
        }.closureResult
    }
}
