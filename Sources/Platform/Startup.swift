import Accounts
import Builds
import Foundation
import Logging
import Models
import Orchestrators
import Releases
import ServiceLifecycle

/// What happens once the stations run: adopt what is there, pick up what was left, say where the panel is, deploy the demo.
struct Startup: Service {
    var stations: Stations
    var logger: Logger

    func run() async throws {
        do {
            try await resume()
            try await announce()
        } catch is CancellationError {
            return
        }
        try? await gracefulShutdown()
        // The first to be told, and those that wait for a paused rollout stop before the releases do.
        await stations.releases.endPauses()
    }

    /// An engine that stumbles while the platform starts is waited for; the panel says so meanwhile.
    private func resume() async throws {
        try await stations.engineProcess?.start()
        var wait = Duration.seconds(1)
        while true {
            do {
                return try await stations.resume()
            } catch let error as MoorError where error.code == .unavailable || error.code == .internalError {
                logger.error("could not take up where the last run ended; trying again", metadata: ["error": "\(error)"])
                try await Task.sleep(for: wait)
                wait = min(wait * 2, .seconds(15))
            }
        }
    }

    private func announce() async throws {
        let configuration = stations.configuration
        let password = try await stations.accounts.ensureAdmin(password: configuration.adminPassword)
        say("Moorage \(Platform.version) is up at \(configuration.panelURL)")
        if let password { say("sign in as admin with the password \(password) (shown this once)") }
        do throws(MoorError) {
            try await stations.builds.ensureBaseImage(progress: DeployLog { say("  \($0)") })
        } catch {
            if error.code == .cancelled { throw error }
            // What is deployed runs without it, and the next build tries again.
            return sayFailure("nothing can be built yet, because there is no base image:", error)
        }
        guard configuration.demo else { return }
        do {
            try await DemoApp(stations: stations).deployOnce()
        } catch let error as MoorError where error.code != .cancelled {
            sayFailure("the demo app could not be deployed:", error)
        }
    }

    private func sayFailure(_ what: String, _ error: MoorError) {
        logger.error("\(what)", metadata: ["error": "\(error.message)", "cause": "\(error.cause ?? "")"])
        say(what)
        for line in error.lines { say("  \(line)") }
    }
}

/// A line for the person at the terminal, apart from the log; unbuffered, so that it shows at once also in a pipe.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
