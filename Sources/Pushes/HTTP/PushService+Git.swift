import Hummingbird
import Logging
import Models
import NIOCore
import Subprocess
import Synchronization

extension PushService {
    /// Runs an exchange's git until it has ended, however the client behaves.
    @concurrent func serve(_ command: GitCommand, request: Request, isCompressed: Bool, writer: inout any ResponseBodyWriter) async throws {
        let hungUp = Signal()
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await request.body.consumeWithInboundCloseHandler { body in
                    try await run(command, body: GitBody(body, isCompressed: isCompressed, hungUp: hungUp), writer: &writer)
                } onInboundClosed: {
                    hungUp.fire()
                })
        } catch {
            result = .failure(error)
        }
        if let push = command.push { await end(push) }
        try result.get()
    }

    /// git has ended, by itself or killed: its deploy has too, nothing of it is left, and the next one's turn begins.
    private func end(_ push: GitCommand.OpenPush) async {
        secrets.withdraw(push.number)
        let verdict = await push.session.stop()
        if case .deployed(let ref, let commit, let pushID) = verdict {
            await checkBranch(ref, is: commit, of: push.session, pushID: pushID)
        }
        do throws(MoorError) { try repositories.endReceiving(push.session.appID) } catch {
            logger.error("what a push left could not be removed", metadata: ["app": "\(push.session.app)", "cause": "\(error)"])
        }
        if push.session.hasTurn { queue.leave(push.session.appID) }
    }

    private struct BrokenOff: Error {}

    /// What came to an end around git.
    private enum Ended: Sendable {
        case fed(MoorError?)
        case complaints(String)
        case clientGone
        case deadline
    }

    /// Feeds git the body and hands on what it writes, neither held.
    @concurrent func run(_ command: GitCommand, body: GitBody?, writer: inout any ResponseBodyWriter) async throws {
        var options = PlatformOptions()
        // A group of its own, so that git's children (index-pack, the hook) end with it.
        options.processGroupID = 0
        options.teardownSequence = Self.teardown
        let environment = Environment.custom(
            Dictionary(uniqueKeysWithValues: command.environment.map { (Environment.Key(rawValue: $0.key)!, $0.value) }))
        var last: [UInt8] = []
        let result = try await Subprocess.run(
            .name("git"), arguments: Arguments(command.arguments), environment: environment, platformOptions: options,
            input: .inputWriter, output: .sequence, error: .sequence
        ) { git in
            try await withThrowingTaskGroup(of: Ended.self) { group in
                group.addTask { .complaints(await Self.tail(of: git.standardError)) }
                group.addTask {
                    try? await Task.sleep(for: self.configuration.gitDeadline)
                    if !Task.isCancelled { await git.teardown(using: Self.teardown) }
                    return .deadline
                }
                if let body {
                    group.addTask { await self.feed(body, to: git, of: command) }
                    group.addTask {
                        await body.hungUp.wait()
                        if Task.isCancelled { return .clientGone }
                        // A deploy that had gone too far to be cancelled still moves its branch.
                        switch await command.push?.session.stop() {
                        case .kept, .deployed: break
                        case .rejected, nil: await git.teardown(using: Self.teardown)
                        }
                        return .clientGone
                    }
                } else {
                    try await git.standardInputWriter.finish()
                }
                var isClientThere = true
                for try await chunk in git.standardOutput {
                    guard isClientThere else { continue }
                    // SAFETY: copied before the chunk ends.
                    let buffer = unsafe chunk.withUnsafeBytes { unsafe ByteBuffer(bytes: $0) }
                    let end = min(buffer.readableBytes, 4)
                    last = Array((last + (buffer.getBytes(at: buffer.writerIndex - end, length: end) ?? [])).suffix(4))
                    do { try await writer.write(buffer) } catch {
                        // git may have to finish all the same: a release that is live must have its branch.
                        isClientThere = false
                        guard let body else { throw error }
                        body.hungUp.fire()
                    }
                }
                // git has said all; what the client still sends is read away, for closing on it would lose git's answer.
                var failure: MoorError?
                var complaints = ""
                var isFed = body == nil
                var hasComplaints = false
                while !isFed || !hasComplaints, let ended = try await group.next() {
                    switch ended {
                    case .fed(let error): (isFed, failure) = (true, error)
                    case .complaints(let text): (hasComplaints, complaints) = (true, text)
                    case .clientGone: isFed = true
                    case .deadline:
                        isFed = true
                        failure = MoorError(.timedOut, "git took longer than it may", hint: "push again")
                    }
                }
                group.cancelAll()
                return (failure, complaints)
            }
        }
        let (failure, complaints) = result.closureResult
        if !result.terminationStatus.isSuccess || failure != nil {
            logger.info(
                "git ended with a failure",
                metadata: [
                    "service": "\(command.service.rawValue)", "status": "\(result.terminationStatus)", "complaints": "\(complaints)",
                    "reason": "\(failure?.message ?? "")",
                ])
        }
        let isWhole = result.terminationStatus.isSuccess || (command.push != nil && last.elementsEqual(PktLine.flush.utf8))
        guard failure != nil || !isWhole else { return }
        let message = failure?.message ?? "git ended in the middle of the request; push or fetch again"
        let line = command.push == nil ? PktLine.error(message) : PktLine.sideBandError(message)
        try await writer.write(ByteBuffer(string: line))
        // A pusher's git waits for ever for the rest of an answer that ends well before its time; one that breaks off it understands.
        throw BrokenOff()
    }

    private static var teardown: [TeardownStep] {
        [.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(3))]
    }

    /// Gives git the request's body; goes on reading, and throws away, where git no longer listens.
    private func feed(
        _ body: GitBody, to git: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>, of command: GitCommand
    ) async -> Ended {
        var isListening = true
        do {
            try await body.read(limit: configuration.maximumPushBytes + Self.requestSlack) { bytes in
                guard isListening else { return }
                do { _ = try await git.standardInputWriter.write(bytes) } catch { isListening = false }
            }
            try? await git.standardInputWriter.finish()
            return .fed(nil)
        } catch {
            await git.teardown(using: Self.teardown)
            return switch error {
            case GitBody.Failure.tooLarge: .fed(tooLarge)
            case is Inflater.Malformed: .fed(MoorError(.invalid, "the request's gzip encoding is damaged"))
            default: .fed(MoorError(.cancelled, "the request broke off"))
            }
        }
    }

    /// The end of what git complained about.
    private static func tail(of sequence: SubprocessOutputSequence) async -> String {
        var text: [UInt8] = []
        do {
            for try await chunk in sequence {
                // SAFETY: copied before the chunk ends.
                text += unsafe chunk.withUnsafeBytes { unsafe Array($0) }
                if text.count > 8192 { text = Array(text.suffix(4096)) }
            }
        } catch {}
        return String(decoding: text, as: UTF8.self)
    }
}
