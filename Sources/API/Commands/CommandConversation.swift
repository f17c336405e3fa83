import Commands
import Models
import NIOCore
import Synchronization

/// What one client said so far, and what its command is to know of it. Frames go in as they come, and nothing in here waits
/// or grows: input is bounded by the credit given, of resizes and signals the newest count.
final class CommandConversation: Sendable {
    enum Step: Sendable, Equatable {
        /// To be run now.
        case start(CommandStart)
        case nothing
    }

    let input = InputWindow()
    let control: AsyncStream<CommandControl>
    private let controls: AsyncStream<CommandControl>.Continuation
    private let state: Mutex<State>

    private struct State {
        var hasStarted = false
        var activeAt: ContinuousClock.Instant
    }

    init(now: ContinuousClock.Instant = .now) {
        (control, controls) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
        state = Mutex(State(activeAt: now))
    }

    var hasStarted: Bool { state.withLock(\.hasStarted) }
    /// When a byte last went either way.
    var activeAt: ContinuousClock.Instant { state.withLock(\.activeAt) }

    func touch(now: ContinuousClock.Instant = .now) { state.withLock { $0.activeAt = now } }

    /// - Throws: `invalid` for what no client of ours does: the connection is not worth keeping.
    func receive(_ frame: ClientFrame) throws(MoorError) -> Step {
        let isFirst = state.withLock { state in
            defer { state.hasStarted = true }
            return !state.hasStarted
        }
        switch frame {
        case .start(let start):
            guard isFirst else { throw Self.outOfTurn }
            return .start(start)
        case _ where isFirst: throw Self.outOfTurn
        case .input(let bytes):
            touch()
            guard input.put(bytes.readableBytesView) else {
                throw MoorError(.invalid, "more input came than was asked for", hint: "send what credit allows")
            }
        case .endOfInput: input.end()
        case .control(let control): controls.yield(control)
        }
        return .nothing
    }

    /// The client is gone.
    func abandon() {
        input.abandon()
        controls.finish()
    }

    private static let outOfTurn = MoorError(.invalid, "a message came out of turn", hint: "say first, and once, what is to be run")
}
