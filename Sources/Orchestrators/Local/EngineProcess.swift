import AsyncHTTPClient
package import Engine
import Foundation
package import Logging
package import Models
import ServiceLifecycle
import Subprocess
import SystemPackage

/// Where our own Podman listens and keeps its things.
package struct EngineProcessConfiguration: Sendable {
    /// Path of the Unix socket.
    package var socket: String
    /// Images, containers, networks: kept over reboots.
    package var dataFolder: String
    /// Volatile state; empty after a reboot, as Podman expects, so a folder below /run.
    package var runFolder: String
    package var limits: HostLimits
    /// The engine's own temporary files, on the disk of the images; emptied at each start.
    package var temporaryFolder: String { dataFolder + "/tmp" }

    package init(socket: String, dataFolder: String, runFolder: String, limits: HostLimits = .read()) {
        self.socket = socket
        self.dataFolder = dataFolder
        self.runFolder = runFolder
        self.limits = limits
    }
}

/// Our own container engine: `podman system service` as a child, private in storage, networks, locks and socket. The
/// containers are not its children and go on when it ends.
package actor EngineProcess: Service {
    private let configuration: EngineProcessConfiguration
    package nonisolated var temporaryFolder: String { configuration.temporaryFolder }
    private let logger: Logger
    /// The first start, until `stop`.
    private var starting: Task<Result<Void, MoorError>, Never>?
    /// Keeps the child running; awaited by `stop`.
    private var supervisor: Task<Void, Never>?
    /// What the last child said last.
    private var lastWords: [String] = []
    private var startFailures = 0

    package init(configuration: EngineProcessConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Starts the engine, replacing one that an earlier process of ours left; returns when it answers.
    /// - Throws: `unavailable` where Podman is missing or does not start, with its last words.
    package func start() async throws(MoorError) {
        // Whoever comes while it starts waits for that start: two would end each other's engine.
        let task = starting ?? Task { await self.startOnce() }
        starting = task
        try await task.value.get()
    }

    private func startOnce() async -> Result<Void, MoorError> {
        do throws(MoorError) {
            try await launch()
            return .success(())
        } catch {
            starting = nil
            return .failure(error)
        }
    }

    private func launch() async throws(MoorError) {
        let command: PodmanCommand
        do {
            command = try PodmanCommand(configuration: configuration)
            try command.prepare()
        } catch {
            throw MoorError.wrapping(error, "the container engine's folders could not be made")
        }
        logger.info("starting the container engine", metadata: ["runtime": "\(command.runtime)", "why": "\(command.reason)"])
        await EngineProcess.endOthers(on: configuration.socket, logger: logger)
        supervisor = Task { await self.supervise(command) }
        try await waitUntilItAnswers()
    }

    /// Keeps the engine running until graceful shutdown, then stops it.
    package func run() async throws {
        try await start()
        try? await gracefulShutdown()
        await stop()
    }

    /// Stops the engine; the apps' containers go on.
    package func stop() async {
        supervisor?.cancel()
        await supervisor?.value
        supervisor = nil
        starting = nil
    }

    private func waitUntilItAnswers() async throws(MoorError) {
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: EngineClient.httpConfiguration)
        let engine = EngineClient(socketPath: configuration.socket, http: http)
        var pause = Duration.milliseconds(10)
        let deadline = ContinuousClock.now + .seconds(30)
        var answers = false
        while !answers, startFailures < 3, ContinuousClock.now < deadline, !Task.isCancelled {
            answers = await engine.ping()
            if !answers { try? await Task.sleep(for: pause) }
            pause = min(pause * 2, .milliseconds(200))
        }
        try? await http.shutdown()
        guard answers else {
            let words = lastWords
            await stop()
            throw MoorError(
                .unavailable, "the container engine (podman) does not start", hint: "its last words say why; the disk may be full",
                detail: words.suffix(10))
        }
        startFailures = 0
    }

    private func supervise(_ command: PodmanCommand) async {
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            let began = ContinuousClock.now
            do { try await serve(command) } catch { lastWords.append("\(error)") }
            guard !Task.isCancelled else { return }
            startFailures += 1
            let ran = ContinuousClock.now - began
            if ran > .seconds(60) { pause = .milliseconds(100) }
            logger.error(
                "the container engine ended and is started again",
                metadata: ["ran": "\(ran)", "said": "\(lastWords.last ?? "")"])
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(10))
        }
    }

    /// One life of the child.
    private func serve(_ command: PodmanCommand) async throws {
        var options = PlatformOptions()
        // A session of its own, so that a Ctrl-C at the terminal does not take the engine away while apps drain.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(3))]
        lastWords = []
        _ = try await Subprocess.run(
            .path(FilePath(command.podman)), arguments: .init(command.arguments),
            environment: .inherit.updating(["CONTAINERS_CONF": command.configurationFile, "TMPDIR": configuration.temporaryFolder]),
            platformOptions: options, input: .none, output: .discarded, error: .sequence
        ) { service in
            for try await line in service.standardError.strings() { heard(line) }
        }
    }

    private func heard(_ line: String) {
        lastWords.append(line)
        if lastWords.count > 20 { lastWords.removeFirst() }
        logger.debug("podman", metadata: ["line": "\(line)"])
    }
}
