import Models
import Synchronization

/// The line that a change crosses once: before it, cancelling undoes everything; after it, the change runs to its end
/// whatever becomes of whoever asked for it.
final class CommitmentPoint: Sendable {
    private enum State {
        case open(cancel: (@Sendable () -> Void)?)
        case cancelled(MoorError)
        case passed
    }

    private let state = Mutex(State.open(cancel: nil))

    /// Asks for an end; does nothing once the point is passed.
    func cancel(_ reason: MoorError) {
        let handler: (@Sendable () -> Void)? = state.withLock { state in
            guard case .open(let handler) = state else { return nil }
            state = .cancelled(reason)
            return handler
        }
        handler?()
    }

    var isPassed: Bool {
        state.withLock { if case .passed = $0 { true } else { false } }
    }

    /// - Throws: the reason, where an end was asked for before.
    func pass() throws(MoorError) {
        let reason: MoorError? = state.withLock { state in
            if case .cancelled(let reason) = state { return reason }
            state = .passed
            return nil
        }
        if let reason { throw reason }
    }

    /// Runs the work in a task that `cancel` cancels; returns when that task has ended.
    func run(_ work: @escaping @Sendable () async throws(MoorError) -> Void) async throws(MoorError) {
        let task = Task { () async -> MoorError? in
            do throws(MoorError) { try await work() } catch { return error }
            return nil
        }
        let earlier: MoorError? = state.withLock { state in
            if case .cancelled(let reason) = state { return reason }
            state = .open(cancel: { task.cancel() })
            return nil
        }
        if earlier != nil { task.cancel() }
        let failure = await task.value
        let reason: MoorError? = state.withLock { state in
            if case .cancelled(let reason) = state { return reason }
            state = .open(cancel: nil)
            return nil
        }
        if let reason { throw reason }
        if let failure { throw failure }
    }
}
