// swift-format-ignore-file: AlwaysUseLowerCamelCase
// Names of the Docker Engine API as it spells them.

import NIOHTTP1

/// A command beside a running container's own (Docker Engine API, "ExecCreate").
package struct ExecSpec: Encodable, Sendable {
    package var command: [String]
    /// "NAME=value", beyond what the container has.
    package var environment: [String]
    package var hasTerminal: Bool
    package var takesInput: Bool

    package init(command: [String], environment: [String], hasTerminal: Bool, takesInput: Bool) {
        self.command = command
        self.environment = environment
        self.hasTerminal = hasTerminal
        self.takesInput = takesInput
    }

    private enum CodingKeys: String, CodingKey {
        case AttachStdin, AttachStdout, AttachStderr, Tty, Env, Cmd
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(takesInput, forKey: .AttachStdin)
        try container.encode(true, forKey: .AttachStdout)
        try container.encode(true, forKey: .AttachStderr)
        try container.encode(hasTerminal, forKey: .Tty)
        try container.encode(environment, forKey: .Env)
        try container.encode(command, forKey: .Cmd)
    }
}

/// An exec as the engine describes it.
package struct ExecDetails: Decodable, Sendable {
    package var isRunning: Bool
    package var exitCode: Int?
    /// On the host; 0 where it does not run.
    package var pid: Int?

    enum CodingKeys: String, CodingKey {
        case isRunning = "Running"
        case exitCode = "ExitCode"
        case pid = "Pid"
    }
}

extension EngineClient {
    /// Connects to a container's input and output; see `pipe`.
    package func attach(
        _ id: String, hasTerminal: Bool, input: (@Sendable () async -> [UInt8]?)?, opened: () async throws -> Void,
        output: (_ isError: Bool, ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        try await pipe(
            "/v1.41/containers/\(Self.encode(id))/attach?stream=1&stdin=\(input == nil ? 0 : 1)&stdout=1&stderr=1",
            hasTerminal: hasTerminal, input: input, opened: opened, output: output)
    }

    /// Waits until it has ended.
    /// - Returns: its exit code; nil where it is gone.
    package func waitContainer(_ id: String, deadline: Duration) async throws -> Int? {
        struct Answer: Decodable { var StatusCode: Int }
        do {
            return try await call(.POST, "/v1.41/containers/\(Self.encode(id))/wait", as: Answer.self, deadline: deadline).StatusCode
        } catch let refusal as Refusal where refusal.status == 404 { return nil }
    }

    /// - Parameter signal: such as "SIGINT".
    package func killContainer(_ id: String, signal: String) async throws {
        try await call(.POST, "/v1.41/containers/\(Self.encode(id))/kill?signal=\(Self.encode(signal))")
    }

    package func resizeContainer(_ id: String, columns: Int, rows: Int) async throws {
        try await call(.POST, "/v1.41/containers/\(Self.encode(id))/resize?h=\(rows)&w=\(columns)")
    }

    /// - Returns: the exec's id.
    package func createExec(_ spec: ExecSpec, in container: String) async throws -> String {
        struct Answer: Decodable { var Id: String }
        return try await call(.POST, "/v1.41/containers/\(Self.encode(container))/exec", json: spec, as: Answer.self).Id
    }

    /// Starts it, connected to its input and output; see `pipe`.
    /// - Parameter terminal: nil where it has none. Its size is taken by Podman; Docker learns it by `resizeExec`.
    package func startExec(
        _ id: String, terminal: (columns: Int, rows: Int)?, input: (@Sendable () async -> [UInt8]?)?, opened: () async throws -> Void,
        output: (_ isError: Bool, ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        struct Body: Encodable {
            var Detach = false
            var Tty: Bool
            var h, w: Int?
        }
        try await pipe(
            "/v1.41/exec/\(Self.encode(id))/start", json: Body(Tty: terminal != nil, h: terminal?.rows, w: terminal?.columns),
            hasTerminal: terminal != nil, input: input, opened: opened, output: output)
    }

    package func resizeExec(_ id: String, columns: Int, rows: Int) async throws {
        try await call(.POST, "/v1.41/exec/\(Self.encode(id))/resize?h=\(rows)&w=\(columns)")
    }

    /// nil where it is gone, as with its container.
    package func inspectExec(_ id: String) async throws -> ExecDetails? {
        do {
            return try await call(.GET, "/v1.41/exec/\(Self.encode(id))/json", as: ExecDetails.self)
        } catch let refusal as Refusal where refusal.status == 404 { return nil }
    }
}
