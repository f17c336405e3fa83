import Models
import Synchronization

/// One deploy per app at a time, in the order of arrival.
///
/// `Mutex` rather than an actor, so that a cancelled waiter leaves the line at once.
final class DeployQueue: Sendable {
    private struct Line {
        var waiting: [(ticket: UInt64, turn: Signal)] = []
    }

    private struct State {
        var lines: [AppID: Line] = [:]
        var lastTicket: UInt64 = 0
    }

    private let state = Mutex(State())
    private let maximumWaiting: Int

    init(maximumWaiting: Int) { self.maximumWaiting = maximumWaiting }

    /// Returns when every earlier one of the same app has left. Whoever entered must `leave`.
    /// - Parameter waiting: told once how many are ahead, where there are any.
    /// - Throws: `conflict` where too many wait already; `cancelled` where the task was cancelled while it waited. There is
    ///   nothing to leave then.
    func enter(_ appID: AppID, waiting: (Int) async -> Void) async throws(MoorError) {
        guard let (ticket, turn, ahead) = try join(appID) else { return }
        await waiting(ahead)
        await turn.wait()
        guard Task.isCancelled else { return }
        forsake(appID, ticket: ticket)
        throw MoorError(.cancelled, "cancelled while it waited for its turn")
    }

    /// Ends the turn: the next one's begins.
    func leave(_ appID: AppID) {
        let next = state.withLock { state -> Signal? in
            guard let line = state.lines[appID], !line.waiting.isEmpty else {
                state.lines[appID] = nil
                return nil
            }
            return state.lines[appID]?.waiting.removeFirst().turn
        }
        next?.fire()
    }

    /// nil where the turn is ours at once.
    private func join(_ appID: AppID) throws(MoorError) -> (UInt64, Signal, ahead: Int)? {
        let (place, isFull) = state.withLock { state -> ((UInt64, Signal, ahead: Int)?, Bool) in
            guard var line = state.lines[appID] else {
                state.lines[appID] = Line()
                return (nil, false)
            }
            guard line.waiting.count < maximumWaiting else { return (nil, true) }
            state.lastTicket += 1
            let turn = Signal()
            line.waiting.append((state.lastTicket, turn))
            state.lines[appID] = line
            return ((state.lastTicket, turn, ahead: line.waiting.count), false)
        }
        if isFull {
            throw MoorError(.conflict, "\(maximumWaiting) pushes to this app are waiting already", hint: "push again when they are through")
        }
        return place
    }

    /// Gives up the place; where the turn had come in the meantime, passes it on.
    private func forsake(_ appID: AppID, ticket: UInt64) {
        let wasWaiting = state.withLock { state in
            guard let index = state.lines[appID]?.waiting.firstIndex(where: { $0.ticket == ticket }) else { return false }
            state.lines[appID]?.waiting.remove(at: index)
            return true
        }
        if !wasWaiting { leave(appID) }
    }
}
