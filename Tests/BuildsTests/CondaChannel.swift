import Crypto
import Foundation
import Subprocess
import TestSupport
import Testing

@testable import Builds

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

    /// A conda-lock.yml of a Python and tides 1.0.
    /// - Parameter channel: where its packages are fetched.
    static func lock(_ channel: String) throws -> String {
        let entries = try ["linux-64/python-3.11.2-h0_0", "noarch/tides-1.0-py_0"].map { name in
            let data = try Data(contentsOf: URL(filePath: "\(folder)/\(name).tar.bz2"))
            let parts = name.split(separator: "/")[1].split(separator: "-")
            return """
                - name: \(parts[0])
                  version: '\(parts[1])'
                  manager: conda
                  platform: linux-64
                  dependencies: {\(parts[0] == "tides" ? "python: ''" : "")}
                  url: \(channel)/\(name).tar.bz2
                  hash: {sha256: \(BuildPlan.hex(SHA256.hash(data: data)))}
                  category: main
                  optional: false
                """
        }
        return "version: 1\nmetadata: {}\npackage:\n" + entries.joined(separator: "\n") + "\n"
    }
}
