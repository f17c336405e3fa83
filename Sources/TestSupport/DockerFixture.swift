package import Foundation
import Models
import Subprocess
import SystemPackage

/// A Docker of its own for one test (Debian's docker.io): private storage, containers and socket, gone when the body ends.
///
/// It writes no firewall rules and makes no bridge of its own, which it would share with every other Docker of the host: so its
/// containers reach this host and each other as the orchestrator's networks let them, and not the outside.
package struct DockerFixture: Sendable {
    package let folder: URL
    package let socketPath: String
    /// The daemon's process.
    package let processID: Int32

    /// Runs Docker's own client against this daemon, for set-up and for a look from outside.
    /// - Returns: its standard output.
    @discardableResult
    package func docker(arguments: [String]) async throws -> String {
        let result = try await run(
            .name("docker"), arguments: .init(["-H", "unix://\(socketPath)"] + arguments), output: .string(limit: 16 << 20),
            error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw MoorError(.internalError, "docker \(arguments.joined(separator: " ")): \(result.standardError)")
        }
        return result.standardOutput
    }
}

/// Starts a Docker daemon for one test and removes every trace of it afterwards.
package func withDocker<T: Sendable>(_ body: @Sendable (DockerFixture) async throws -> T) async throws -> T {
    try await withScratchFolder { folder in
        let socket = folder.appending(path: "docker.sock").path
        let settings = folder.appending(path: "daemon.json")
        try Data("{}".utf8).write(to: settings)
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
        let result = try await run(
            .name("dockerd"),
            arguments: [
                "--config-file", settings.path, "--data-root", folder.appending(path: "root").path,
                "--exec-root", folder.appending(path: "exec").path, "--pidfile", folder.appending(path: "pid").path,
                "-H", "unix://\(socket)", "--exec-opt", "native.cgroupdriver=cgroupfs", "--default-ulimit", "nofile=4096:4096",
                "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-masq=false",
            ],
            environment: .inherit.updating(["TMPDIR": folder.path]), workingDirectory: .init(folder.path), platformOptions: options,
            input: .none, output: .discarded, error: .sequence
        ) { service in
            let daemon = DockerFixture(folder: folder, socketPath: socket, processID: service.processIdentifier.value)
            let (started, start) = AsyncStream.makeStream(of: [String].self)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                // Reads to the end, so that a full pipe never stops the daemon.
                group.addTask {
                    defer { start.finish() }
                    var said: [String] = []
                    for try await line in service.standardError.strings() {
                        said = said.suffix(19) + [line]
                        if line.contains("API listen on") { start.yield([]) }
                    }
                    start.yield(said)
                }
                let failure = await started.first { _ in true } ?? ["it was cut off"]
                guard failure.isEmpty else { throw MoorError(.internalError, "dockerd did not start", detail: failure) }
                let outcome: Result<T, any Error>
                do { outcome = .success(try await body(daemon)) } catch { outcome = .failure(error) }
                await Task { await daemon.removeContainers() }.value
                await service.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))])
                try? await group.waitForAll()
                return try outcome.get()
            }
        }
        return result.closureResult
    }
}

extension DockerFixture {
    fileprivate func removeContainers() async {
        guard let listed = try? await docker(arguments: ["ps", "--all", "--quiet"]) else { return }
        let ids = listed.split(separator: "\n").map(String.init)
        if !ids.isEmpty { _ = try? await docker(arguments: ["rm", "--force"] + ids) }
    }
}
