import Engine
import Foundation
import Logging
package import Models

extension LocalOrchestrator {
    package func run(
        _ order: CommandOrder, like set: ReplicaSet, appID: AppID, app: AppName, user: String, session: CommandSession
    ) async throws(MoorError) -> CommandEnd {
        let key = register(order, like: set, appID: appID, user: user, isDetached: false)
        defer { forget(oneOff: key) }
        let container = names.container(oneOff: key)
        do {
            var spec = try await oneOffSpec(key, order, like: set, appID: appID, app: app)
            spec.takesInput = session.input != nil
            spec.hasTerminal = order.terminal != nil
            // Whoever is at the other end has it; what is typed at a terminal is nobody else's.
            spec.host.isUnlogged = true
            do {
                let end = try await Self.within(order.limit) { [spec] in
                    try await self.attended(spec, container, order, set.process.resources, session)
                }
                await Task { [engine] in try? await engine.removeContainer(container) }.value
                return end
            } catch {
                // Also where the caller was cancelled; awaited here.
                await Task { await self.end(oneOff: container, hasTerminal: order.terminal != nil) }.value
                throw error
            }
        } catch {
            throw engineError(error, "the command could not be run")
        }
    }

    private func attended(
        _ spec: ContainerSpec, _ name: String, _ order: CommandOrder, _ resources: Resources, _ session: CommandSession
    ) async throws -> CommandEnd {
        let engine = engine
        // Not cut off: Docker would make it all the same, after whoever cleans up found none.
        let id = try await Task { try await engine.createContainer(spec, name: name) }.value
        try Task.checkCancellation()
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                for await _ in started {}
                for await control in session.control {
                    switch control {
                    case .resize(let size): try? await engine.resizeContainer(id, columns: size.columns, rows: size.rows)
                    case .signal(let signal): try? await engine.killContainer(id, signal: "SIG\(signal.rawValue)")
                    }
                }
            }
            try await engine.attach(
                id, hasTerminal: spec.hasTerminal, input: session.input,
                opened: {
                    // Docker knows no size before the start, and Podman does: then not even the first look at it is wrong.
                    let isSized = await Self.resize(order.terminal) { try await engine.resizeContainer(id, columns: $0, rows: $1) }
                    try await engine.startContainer(id)
                    if !isSized { await Self.resize(order.terminal) { try await engine.resizeContainer(id, columns: $0, rows: $1) } }
                    start.finish()
                },
                output: { isError, bytes in try await session.output(isError ? .error : .output, bytes) })
        }
        // The engine lets go when the command has ended. Where it broke off instead, this throws and the command goes too.
        let code = try await engine.waitContainer(id, deadline: .seconds(30))
        guard code != 0 else { return CommandEnd(exitCode: 0) }
        let details = try await engine.inspectContainer(id)
        let reason = await endReason(of: id, details: details, exitCode: code, resources: resources)
        return CommandEnd(exitCode: code ?? 137, reason: reason)
    }

    /// - Returns: whether the terminal, where there is one, has its size.
    @discardableResult
    static func resize(_ size: TerminalSize?, by resize: (Int, Int) async throws -> Void) async -> Bool {
        guard let size else { return true }
        return (try? await resize(size.columns, size.rows)) != nil
    }

    /// Ends the container as those of replicas are ended, and a shell first as a closed terminal does.
    func end(oneOff container: String, hasTerminal: Bool) async {
        if hasTerminal { try? await engine.killContainer(container, signal: "SIGHUP") }
        // Docker starts and stops nothing while it starts it: what was cut off in that moment is tried again.
        for _ in 0..<50 {
            do {
                try await engine.stopContainer(container, grace: configuration.stopGraceSeconds)
                return try await engine.removeContainer(container)
            } catch is EngineRefusal {
                try? await Task.sleep(for: .milliseconds(100))
            } catch { return }
        }
    }

    func oneOffSpec(_ key: String, _ order: CommandOrder, like set: ReplicaSet, appID: AppID, app: AppName) async throws -> ContainerSpec {
        async let user = imageUser(set.image)
        let network = try await network(of: appID, app: app)
        // No replica has such an id; it is only the name of what is in hand.
        let hand = ReplicaID(Int64.random(in: Int64.min..<0))
        let devices = try await devices(for: hand, of: set.releaseID, appID, set.process.resources)
        defer { devicesInHand[hand] = nil }
        var like = set
        like.environment.merge(order.environment) { $1 }
        var spec = containerSpec(
            like, appID: appID, app: app, network: network, imageUser: try await user, devices: devices, labels: [Label.oneOff: key])
        if !order.arguments.isEmpty {
            // Each argument stays as it is, and a program that is not there ends with 127 whatever the engine.
            spec.entrypoint = ["/bin/sh", "-c", #"exec "$@""#, "moor"]
            spec.command = order.arguments
        }
        return spec
    }

    static func within<T: Sendable>(_ limit: Duration?, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
        guard let limit else { return try await body() }
        return try await withThrowingTaskGroup(of: T.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw MoorError(
                    .timedOut, "the command did not end within \(Int(limit / .seconds(1))) s",
                    hint: "make it shorter, or ask the platform's admin for a longer limit")
            }
            defer { group.cancelAll() }
            guard let ended = try await group.next() else { throw CancellationError() }
            return ended
        }
    }
}
