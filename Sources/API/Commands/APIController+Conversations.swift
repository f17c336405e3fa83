import Commands
import Logging
import Models
import NIOCore

/// Who asked for a command, before the connection became a WebSocket.
struct CommandCaller: Sendable {
    enum Kind: String, Sendable { case run, exec }

    var kind: Kind
    var principal: Principal
    var app: AppOfCaller
}

extension APIController {
    /// One command from its start message to its status. The connection is always read, however slow the command is, so that
    /// signals, and the client's end, are seen; a client that does not read holds back the command alone.
    func converse(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ caller: CommandCaller) async {
        let conversation = CommandConversation()
        try? await channel.executeThenClose { inbound, outbound in
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    try? await Task.sleep(for: Self.startDeadline)
                    if !Task.isCancelled, !conversation.hasStarted { channel.channel.close(promise: nil) }
                }
                do {
                    for try await message in inbound {
                        guard case .start(let start) = try conversation.receive(ClientFrame(message)) else { continue }
                        group.addTask {
                            let session = Self.session(conversation, outbound, on: channel.channel.eventLoop, hasInput: start.hasInput)
                            let status = await self.carryOut(start, caller, conversation, session)
                            await Self.finish(channel.channel, status)
                        }
                    }
                } catch let error as MoorError {
                    logger.debug("a command's client broke the rules", metadata: ["cause": "\(error.message)"])
                } catch {
                    logger.trace("a command's connection broke", metadata: ["cause": "\(error)"])
                }
                conversation.abandon()
                group.cancelAll()
            }
        }
    }

    private func carryOut(
        _ start: CommandStart, _ caller: CommandCaller, _ conversation: CommandConversation, _ session: CommandSession
    ) async -> CommandStatus {
        do {
            let order = try Self.order(start.command, start.environment, terminal: start.terminal)
            logger.info("command run", metadata: Self.metadata(caller.app, caller.principal, order, caller.kind.rawValue))
            let end = try await withIdleLimit(conversation) {
                switch caller.kind {
                case .run:
                    try await commands.run(caller.app.id, process: start.target, order: order, by: caller.principal, session: session)
                case .exec:
                    try await commands.exec(caller.app.id, replica: start.target, order: order, by: caller.principal, session: session)
                }
            }
            return CommandStatus(end)
        } catch {
            let error = MoorError.wrapping(error)
            if let cause = error.cause {
                logger.error(
                    "a command failed", metadata: ["app": "\(caller.app.name)", "code": "\(error.code.rawValue)", "cause": "\(cause)"])
            }
            return CommandStatus(error)
        }
    }

    private static func session(
        _ conversation: CommandConversation, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, on eventLoop: any EventLoop,
        hasInput: Bool
    ) -> CommandSession {
        let next: @Sendable () async -> [UInt8]? = {
            guard let piece = await conversation.input.next() else { return nil }
            try? await outbound.write(ServerFrame.credit(piece.count).message)
            return piece
        }
        return CommandSession(input: hasInput ? next : nil, control: conversation.control) { stream, bytes in
            var rest = bytes
            while !rest.isEmpty {
                let piece = ByteBuffer(bytes: rest.prefix(CommandBounds.piece))
                try await outbound.write(ServerFrame.output(stream, piece).message)
                // The writer knows that nothing more fits only once the loop has got round to what it was given.
                try await eventLoop.submit {}.get()
                conversation.touch()
                rest = rest.dropFirst(CommandBounds.piece)
            }
        }
    }

    private func withIdleLimit(
        _ conversation: CommandConversation, _ body: @escaping @Sendable () async throws -> CommandEnd
    ) async throws -> CommandEnd {
        let limit = commandIdleLimit
        guard limit > .zero else { return try await body() }
        return try await withThrowingTaskGroup(of: CommandEnd.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    let deadline = conversation.activeAt + limit
                    try await Task.sleep(until: deadline, clock: .continuous)
                    guard conversation.activeAt + limit <= .now else { continue }
                    throw MoorError(
                        .timedOut, "nothing was typed or written for \(Int(limit / .seconds(1))) s",
                        hint: "moor run --detach waits for nobody")
                }
            }
            defer { group.cancelAll() }
            guard let end = try await group.next() else { throw CancellationError() }
            return end
        }
    }

    /// Says the last message, and leaves it to the client to hang up then: were it done here, what is still under way from
    /// the client could cost it the message (RFC 9293 section 3.10.4, a close with unread data resets).
    private static func finish(_ channel: any Channel, _ status: CommandStatus) async {
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(30)) { channel.close(promise: nil) }
        try? await channel.writeAndFlush(ServerFrame.status(status).message).get()
        try? await Task.sleep(for: .seconds(5))
        deadline.cancel()
        channel.close(promise: nil)
    }

    private static let startDeadline = Duration.seconds(10)
}
