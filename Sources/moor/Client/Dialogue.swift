import ArgumentParser
import Commands
import Models
import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A command elsewhere, and this process in its place: input, output, signals and the exit code are its.
struct Dialogue {
    /// What `moor` itself ends with where the command could not be run or seen to its end, as `docker run` does.
    static let failed: Int32 = 125
    /// So many signals that the command does not heed, and `moor` hangs up.
    private static let patience = 3

    var platform: PlatformClient
    var app: AppName
    /// "run" or "exec".
    var kind: String
    var start: CommandStart

    /// - Returns: the command's exit code.
    func run() async throws -> Int32 {
        let channel = try await platform.dialogue(kind, app: app)
        let signals = Signals()
        defer { signals.stop() }
        let terminal = start.terminal == nil ? nil : try RawTerminal()
        defer { terminal?.restore() }
        let status = try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ClientFrame.start(start).message)
            return try await withThrowingTaskGroup(of: CommandStatus?.self) { group in
                let input = StandardInput()
                if start.hasInput {
                    input.start()
                    group.addTask {
                        for await piece in input.pieces {
                            let frame = piece.map { ClientFrame.input(ByteBuffer(bytes: $0)) } ?? .endOfInput
                            // Where nothing can be sent any more, what comes says why.
                            guard (try? await outbound.write(frame.message)) != nil else { break }
                        }
                        return nil
                    }
                }
                group.addTask { [events = signals.events] in try await Self.passOn(events, to: outbound, hasTerminal: terminal != nil) }
                group.addTask { try await receive(inbound, input) }
                defer { group.cancelAll() }
                while let result = try await group.next() {
                    if let result { return result }
                }
                throw CancellationError()
            }
        }
        if let failure = status.failure { throw failure }
        guard let code = status.exitCode else { throw Self.broken(platform.origin) }
        terminal?.restore()
        if let reason = status.reason, reason.hasPrefix("ran out of memory") { Console.note("moor: the command \(reason.printable)") }
        return Int32(truncatingIfNeeded: code)
    }

    /// - Returns: how the command ended.
    private func receive(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ input: StandardInput
    ) async throws -> CommandStatus {
        let output = StandardOutput()
        do {
            for try await message in inbound {
                switch try ServerFrame(message) {
                case .output(let stream, let bytes):
                    try await output.write(Array(bytes.readableBytesView), to: stream == .output ? STDOUT_FILENO : STDERR_FILENO)
                case .credit(let count): input.add(credit: count)
                case .status(let status): return status
                }
            }
        } catch let error as ExitCode {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as MoorError {
            throw error
        } catch {
            throw Self.broken(platform.origin, error)
        }
        try Task.checkCancellation()
        throw Self.broken(platform.origin)
    }

    /// - Throws: the exit code of a program that the signal ended, where it is for `moor` itself to go.
    private static func passOn(
        _ events: AsyncStream<Signals.Event>, to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, hasTerminal: Bool
    ) async throws -> CommandStatus? {
        var count = 0
        for await event in events {
            switch event {
            case .resized:
                guard hasTerminal, let size = RawTerminal.size else { continue }
                try? await outbound.write(ClientFrame.control(.resize(size)).message)
            case .sent(let signal):
                count += 1
                // Without its terminal there is nobody left to talk to.
                guard signal != .hangUp, count < patience else { throw ExitCode(128 + signal.number) }
                try? await outbound.write(ClientFrame.control(.signal(signal)).message)
            }
        }
        return nil
    }

    private static func broken(_ origin: Origin, _ cause: (any Error)? = nil) -> MoorError {
        MoorError(
            .unavailable, "the connection to \(origin) broke, so the command is being stopped",
            hint: "moor run --detach starts one that goes on by itself", cause: cause)
    }
}
