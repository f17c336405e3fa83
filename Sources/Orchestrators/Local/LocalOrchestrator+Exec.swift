import Engine
import Foundation
package import Models

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension LocalOrchestrator {
    package func exec(_ order: CommandOrder, in replicaID: ReplicaID, session: CommandSession) async throws(MoorError) -> CommandEnd {
        guard let containerID = apps.values.lazy.compactMap({ $0.replicas[replicaID] }).first?.containerID else {
            throw MoorError(.conflict, "the replica does not run", hint: "moor ps shows which do")
        }
        do {
            let spec = ExecSpec(
                command: order.arguments, environment: order.environment.map { "\($0)=\($1)" }.sorted(),
                hasTerminal: order.terminal != nil, takesInput: session.input != nil)
            let id = try await engine.createExec(spec, in: containerID)
            do {
                return try await Self.within(order.limit) { try await self.attended(exec: id, in: containerID, order, session) }
            } catch {
                // Engines let a command go on whose other end is gone; awaited here.
                await Task { await self.end(exec: id, in: containerID, hasTerminal: order.terminal != nil) }.value
                throw error
            }
        } catch {
            throw engineError(error, "the command could not be run")
        }
    }

    private func attended(
        exec id: String, in containerID: String, _ order: CommandOrder, _ session: CommandSession
    ) async throws -> CommandEnd {
        let engine = engine
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                // Its terminal is there once it runs, a moment after the engine said so.
                for _ in 0..<20 {
                    if await Self.resize(order.terminal, by: { try await engine.resizeExec(id, columns: $0, rows: $1) }) { break }
                    try? await Task.sleep(for: .milliseconds(50))
                }
                for await control in session.control {
                    switch control {
                    case .resize(let size): try? await engine.resizeExec(id, columns: size.columns, rows: size.rows)
                    case .signal(let signal): await self.signal(exec: id, in: containerID, signal)
                    }
                }
            }
            try await engine.startExec(
                id, terminal: order.terminal.map { ($0.columns, $0.rows) }, input: session.input, opened: {},
                output: { isError, bytes in try await session.output(isError ? .error : .output, bytes) })
        }
        for _ in 0..<100 {
            guard let details = try await engine.inspectExec(id) else {
                return CommandEnd(exitCode: 137, reason: "its replica ended")
            }
            if !details.isRunning, let code = details.exitCode {
                return CommandEnd(
                    exitCode: code, reason: code == 0 ? nil : exitReason(code: code, outOfMemory: false, resources: Resources()))
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw MoorError(.unavailable, "the command's output was cut off", hint: "try again; the platform's log may say more")
    }

    /// The API of engines has no signals for what was started beside a container's own command, so the kernel is asked. It
    /// leads a process group, and it is that replica's as long as its control group says so (cgroups(7)).
    @discardableResult
    private func signal(exec id: String, in containerID: String, _ signal: CommandSignal) async -> Bool {
        guard let details = try? await engine.inspectExec(id), details.isRunning, let pid = details.pid, pid > 1,
            let groups = try? String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8), groups.contains(containerID)
        else { return false }
        return kill(-Int32(pid), signal.number) == 0
    }

    private func end(exec id: String, in containerID: String, hasTerminal: Bool) async {
        guard await signal(exec: id, in: containerID, hasTerminal ? .hangUp : .terminate) else { return }
        for _ in 0..<configuration.stopGraceSeconds * 10 {
            guard (try? await engine.inspectExec(id))?.isRunning == true else { return }
            try? await Task.sleep(for: .milliseconds(100))
        }
        await signal(exec: id, in: containerID, .kill)
    }
}

extension CommandSignal {
    fileprivate var number: Int32 {
        switch self {
        case .hangUp: SIGHUP
        case .interrupt: SIGINT
        case .quit: SIGQUIT
        case .kill: SIGKILL
        case .terminate: SIGTERM
        }
    }
}
