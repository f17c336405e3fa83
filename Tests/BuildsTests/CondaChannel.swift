import Foundation
import Subprocess
import TestSupport
import Testing

/// A conda channel of the tests' own, served over HTTP where build containers reach it.
struct CondaChannel: Sendable {
    var port: String
    /// The engine's default bridge, on which builds run.
    var host: String

    var url: String { "http://\(host):\(port)" }
    /// The platform's settings with this channel in conda-forge's place.
    var settings: [String: String] { ["conda.channels": "conda-forge", "conda.mirrors": "conda-forge=\(url)"] }

    /// Among the build products, so that it is made once for all runs of the tests.
    static let folder = root.appending(path: ".build/conda-channel").path
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    private static let script = root.appending(path: "Tests/JourneyTests/support/conda_channel.py").path

    static func make() async throws {
        let made = try await run(
            .name("python3"), arguments: .init([script, "make", folder]), output: .discarded, error: .string(limit: 1 << 16))
        #expect(made.terminationStatus.isSuccess, "\(made.standardError)")
    }

    /// - Parameters:
    ///   - folder: what is served in the channel's place.
    ///   - credentials: "user:password" that it asks for.
    static func serve<T: Sendable>(
        folder: String = Self.folder, _ credentials: String? = nil, _ body: @Sendable (CondaChannel) async throws -> T
    ) async throws -> T {
        if folder == Self.folder { try await make() }
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
                        CondaChannel(
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
