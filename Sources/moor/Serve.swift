import ArgumentParser
import Foundation
import Logging
import Models
import Platform
import Telemetry

/// `moor serve`: the platform itself, in the foreground.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the platform in the foreground.")

    @Option(help: "The configuration file; config/moorage.yaml or /etc/moorage/moorage.yaml where it exists.")
    var config: String?

    @Flag(help: "Stop the apps' containers together with the platform; else they go on and the next start adopts them.")
    var stopApps = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let candidates = [config ?? environment["MOOR_CONFIG"]].compactMap { $0 }
        let file =
            candidates.first ?? ["config/moorage.yaml", "/etc/moorage/moorage.yaml"].first { FileManager.default.fileExists(atPath: $0) }
        do {
            let configuration = try PlatformConfiguration.load(file: file, environment: environment)
            bootstrapLogging(level: configuration.logLevel)
            var logger = Logger(label: "moor")
            logger.logLevel = configuration.logLevel
            try await Platform.serve(configuration, stopApps: stopApps, logger: logger)
        } catch let error as MoorError {
            let cause = error.cause.map { ["cause: \($0)"] } ?? []
            for line in error.lines + cause { FileHandle.standardError.write(Data((line + "\n").utf8)) }
            throw ExitCode(1)
        }
    }
}
