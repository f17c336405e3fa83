package import Foundation
import Models
import Subprocess
import SystemPackage

/// A container engine of its own for one test: private storage, networks and socket, gone when the body ends.
package struct PodmanFixture: Sendable {
    /// Everything of the engine lies below it.
    package let folder: URL
    /// Where the Docker Engine API (v1.41) and Podman's own (v4) are served.
    package let socketPath: String
    /// The service's process.
    package fileprivate(set) var processID: Int32 = 0

    /// What every command line needs so that it means this engine and no other of the machine.
    package var arguments: [String] {
        [
            "--root", folder.appending(path: "root").path, "--runroot", folder.appending(path: "run").path,
            "--tmpdir", folder.appending(path: "tmp").path, "--network-config-dir", folder.appending(path: "net").path,
            "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
        ]
    }

    /// Runs podman against the same storage, for set-up and for a look from outside.
    /// - Returns: its standard output.
    /// - Throws: `internalError` with its last words where it fails.
    @discardableResult
    package func podman(_ command: String...) async throws -> String { try await podman(arguments: command) }

    @discardableResult
    package func podman(arguments command: [String]) async throws -> String {
        let result = try await run(
            .name("podman"), arguments: .init(arguments + command), output: .string(limit: 16 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw MoorError(.internalError, "podman \(command.joined(separator: " ")): \(result.standardError)")
        }
        return result.standardOutput
    }
}

/// Starts a Podman service for one test and removes every trace of it afterwards: containers, mounts, storage.
package func withPodman<T: Sendable>(_ body: @Sendable (PodmanFixture) async throws -> T) async throws -> T {
    try await withScratchFolder { folder in
        let engine = PodmanFixture(folder: folder, socketPath: folder.appending(path: "engine.sock").path)
        let outcome: Result<T, any Error>
        do { outcome = .success(try await engine.serve(body)) } catch { outcome = .failure(error) }
        await withUncancelled { await engine.removeEverything() }
        return try outcome.get()
    }
}

extension PodmanFixture {
    /// Runs the body while a service serves this storage; the service is stopped when the body ends. For a test that kills
    /// the first one.
    package func serve<T: Sendable>(_ body: @Sendable (PodmanFixture) async throws -> T) async throws -> T {
        var options = PlatformOptions()
        // A session of its own, so that a Ctrl-C at the terminal reaches the test first and the engine can still be cleaned.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let result = try await run(
            .name("podman"),
            arguments: .init(
                arguments + ["--log-level", "info", "system", "service", "--time=0", "unix://\(socketPath)"]),
            environment: .inherit.updating(["TMPDIR": folder.path]),
            // conmon leaves a file named "oom" where it runs (cgroup v1).
            workingDirectory: .init(folder.path), platformOptions: options, input: .none, output: .discarded, error: .sequence
        ) { service in
            var engine = self
            engine.processID = service.processIdentifier.value
            let running = engine
            let (started, start) = AsyncStream.makeStream(of: [String].self)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                // Reads to the end, so that a full pipe never stops the service.
                group.addTask {
                    defer { start.finish() }
                    var said: [String] = []
                    for try await line in service.standardError.strings() {
                        if said.count < 20 { said.append(line) }
                        if line.contains("API service listening") { start.yield([]) }
                    }
                    start.yield(said)
                }
                let failure = await started.first { _ in true } ?? ["it was cut off"]
                guard failure.isEmpty else { throw MoorError(.internalError, "podman did not start", detail: failure) }
                let outcome: Result<T, any Error>
                do { outcome = .success(try await body(running)) } catch { outcome = .failure(error) }
                await withUncancelled { await running.removeContainers() }
                await service.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))])
                try? await group.waitForAll()
                return try outcome.get()
            }
        }
        return result.closureResult
    }
}

extension PodmanFixture {
    fileprivate func removeContainers() async {
        _ = try? await podman("rm", "--all", "--force", "--time", "0", "--depend")
    }

    fileprivate func removeEverything() async {
        await removeContainers()
        // What a killed service left mounted would keep the folder from being removed, or be emptied with it.
        let table = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let mounts = table.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) }
        for mount in mounts.reversed() where mount.hasPrefix(folder.path + "/") {
            _ = try? await run(.name("umount"), arguments: ["--lazy", mount], output: .discarded, error: .discarded)
        }
    }
}

/// Clean-up must happen also where the test was cancelled; the task is awaited here.
private func withUncancelled(_ body: @escaping @Sendable () async -> Void) async {
    await Task { await body() }.value
}
