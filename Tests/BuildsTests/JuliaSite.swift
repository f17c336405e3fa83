import Foundation
import Subprocess
import Testing

/// Julia's downloads in small, served over HTTP: a real Julia 1.5.3, which is Debian's and not the Julia project's own build.
enum JuliaSite {
    /// Among the build products, so that it is made once for all runs of the tests.
    private static let folder = root.appending(path: ".build/julia-site").path
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    private static let script = root.appending(path: "Tests/JourneyTests/support/julia_site.py").path

    static func serve<T: Sendable>(_ body: @Sendable (ServedFolder) async throws -> T) async throws -> T {
        let made = try await run(
            .name("python3"), arguments: .init([script, "make", folder]), output: .discarded, error: .string(limit: 1 << 16))
        #expect(made.terminationStatus.isSuccess, "\(made.standardError)")
        return try await ServedFolder.serve(folder) { try await body($0) }
    }
}
