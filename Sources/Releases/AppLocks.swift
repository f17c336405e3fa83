import Models
import Synchronization

/// One change of an app at a time, in the order they came.
///
/// A place in the queue is a ticket: taken at once, waited for where that can be cancelled, and given back by whoever
/// finishes the change, which need not be the task that waited.
final class AppLocks: Sendable {
    struct Ticket: Hashable, Sendable {
        fileprivate var appID: AppID
        fileprivate var number: UInt64
    }

    private struct State {
        var next: UInt64 = 0
        /// The first of each queue holds the lock.
        var queues: [AppID: [UInt64]] = [:]
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]

        /// - Returns: the continuation to resume with true, now that its ticket is first.
        mutating func remove(_ ticket: Ticket) -> CheckedContinuation<Bool, Never>? {
            guard var queue = queues[ticket.appID], let index = queue.firstIndex(of: ticket.number) else { return nil }
            queue.remove(at: index)
            queues[ticket.appID] = queue.isEmpty ? nil : queue
            guard index == 0, let first = queue.first else { return nil }
            return waiting.removeValue(forKey: first)
        }

        func holds(_ ticket: Ticket) -> Bool { queues[ticket.appID]?.first == ticket.number }
    }

    private let state = Mutex(State())

    /// - Returns: the ticket, and whether it holds the lock already.
    func enqueue(_ appID: AppID) -> (ticket: Ticket, holds: Bool) {
        state.withLock { state in
            state.next += 1
            state.queues[appID, default: []].append(state.next)
            let ticket = Ticket(appID: appID, number: state.next)
            return (ticket, state.holds(ticket))
        }
    }

    /// Waits until the ticket holds the lock.
    /// - Returns: false where the waiting was cancelled; the ticket is void then.
    func wait(_ ticket: Ticket) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.holds(ticket) { return true }
                    // Cancelled before it came here: the handler has removed the ticket.
                    guard state.queues[ticket.appID]?.contains(ticket.number) == true else { return false }
                    state.waiting[ticket.number] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let continuation: CheckedContinuation<Bool, Never>? = state.withLock { state in
                // One that holds the lock already keeps it: its waiter is on the way and gives it back.
                guard !state.holds(ticket) else { return nil }
                _ = state.remove(ticket)
                return state.waiting.removeValue(forKey: ticket.number)
            }
            continuation?.resume(returning: false)
        }
    }

    /// Gives the lock to the next in the queue.
    func release(_ ticket: Ticket) {
        state.withLock { $0.remove(ticket) }?.resume(returning: true)
    }
}
