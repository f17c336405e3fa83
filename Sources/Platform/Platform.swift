import AsyncHTTPClient
import Builds
import Foundation
import Hummingbird
package import Logging
import Models
import ServiceLifecycle
import Store
import UnixSignals

/// The whole platform as one ServiceGroup: SIGTERM drains the gateway first, then the stations stop in reverse order.
package enum Platform {
    package static let version = "0.1.0"

    /// Runs until a signal asks it to stop and everything is drained.
    /// - Parameter stopApps: whether the apps' containers stop with it; else they go on and the next start adopts them.
    package static func serve(_ configuration: PlatformConfiguration, stopApps: Bool, logger: Logger) async throws {
        try configuration.check()
        let data = try DataFolder(path: configuration.dataFolder)
        let stations = try await Stations(configuration: configuration, data: data, logger: logger)
        // Below info it prints whole services, configuration and all.
        var lifecycleLogger = logger.of("lifecycle")
        lifecycleLogger.logLevel = max(.info, logger.logLevel)
        let group = ServiceGroup(
            configuration: .init(
                services: stations.services(stopApps: stopApps), gracefulShutdownSignals: [.sigterm, .sigint], cancellationSignals: [],
                logger: lifecycleLogger))
        do {
            try await group.run()
        } catch {
            await stations.builds.stop()
            try? await stations.http.shutdown()
            throw error
        }
        await stations.builds.stop()
        try await stations.http.shutdown()
    }
}

extension PlatformConfiguration {
    /// What can be known to be wrong before anything starts.
    func check() throws(MoorError) {
        for root in buildpackRoots where !FileManager.default.fileExists(atPath: root) {
            throw MoorError(
                .invalid, "buildpacks.path: there is no folder \(root)",
                hint: "run moor from the repository's top folder, or set MOOR_BUILDPACKS_PATH")
        }
        guard FileManager.default.fileExists(atPath: webFolder + "/templates") else {
            throw MoorError(
                .invalid, "web.path: \(webFolder) holds no templates",
                hint: "run moor from the repository's top folder, or set MOOR_WEB_PATH")
        }
        guard engineKind == .podman || engineSocket != nil else {
            throw MoorError(
                .invalid, "engine.kind is docker, but engine.socket is not set", hint: "set MOOR_ENGINE_SOCKET=/var/run/docker.sock")
        }
    }
}
