import Foundation
import Subprocess
import TestSupport
import Testing

/// A conda channel of the tests' own, served over HTTP where build containers reach it.
struct CondaChannel: Sendable {
    var server: ServedFolder

    var url: String { server.url }
    /// The platform's settings with this channel in conda-forge's place.
    var settings: [String: String] { ["conda.channels": "conda-forge", "conda.mirrors": "conda-forge=\(url)"] }

    /// Among the build products, so that it is made once for all runs of the tests.
    static let folder = root.appending(path: ".build/conda-channel").path
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    static func make() async throws {
        let made = try await run(
            .name("python3"), arguments: .init([ServedFolder.script, "make", folder]), output: .discarded, error: .string(limit: 1 << 16))
        #expect(made.terminationStatus.isSuccess, "\(made.standardError)")
    }

    /// - Parameter credentials: "user:password" that it asks for.
    static func serve<T: Sendable>(_ credentials: String? = nil, _ body: @Sendable (CondaChannel) async throws -> T) async throws -> T {
        try await make()
        return try await ServedFolder.serve(folder, credentials) { try await body(CondaChannel(server: $0)) }
    }
}
