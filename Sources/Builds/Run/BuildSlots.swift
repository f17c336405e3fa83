import Models

/// Lets a few builds run at once, one of each app; the rest wait in the order they came, and are told their place.
actor BuildSlots {
    /// Builds that wait at most; whoever comes then is refused.
    let longest: Int
    /// The numbers of the slots that nobody has, the lowest last.
    private var free: [Int]
    private var running: Set<AppID> = []
    private var waiting: [Waiting] = []
    /// Slots that were handed over to somebody who has not read it yet.
    private var unread: [UInt64: Int] = [:]
    private var nextID: UInt64 = 0

    private enum Event: Sendable {
        /// How many wait before this one.
        case ahead(Int)
        case turn(slot: Int)
    }

    private struct Waiting {
        var id: UInt64
        var app: AppID
        var ahead: Int?
        /// Holds the newest event only: a slow listener misses places, never its turn, which is the last.
        var events: AsyncStream<Event>.Continuation
    }

    init(_ count: Int, longest: Int = 100) {
        free = Array((0..<max(1, count)).reversed())
        self.longest = longest
    }

    /// Waits for a slot; `give` must follow.
    /// - Parameter told: hears how many wait before this one, at once where it must wait, and again whenever that changes.
    /// - Returns: the slot's number, from zero.
    /// - Throws: `cancelled` where the task is cancelled while it waits, `rateLimited` where too many wait; it holds no slot then.
    func take(_ app: AppID, told: (_ ahead: Int) async -> Void) async throws(MoorError) -> Int {
        if Task.isCancelled { throw Self.cancelled }
        if waiting.isEmpty, !running.contains(app), let slot = free.popLast() {
            running.insert(app)
            return slot
        }
        guard waiting.count < longest else {
            throw MoorError(
                .rateLimited, "\(waiting.count) builds wait already; this one was not added to them",
                hint: "push again in some minutes; the platform's admin can let more builds run at once with build.concurrency")
        }
        nextID += 1
        let id = nextID
        let (events, input) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1))
        waiting.append(Waiting(id: id, app: app, events: input))
        hand()
        for await event in events {
            switch event {
            case .ahead(let count): await told(count)
            case .turn(let slot):
                unread[id] = nil
                guard !Task.isCancelled else {
                    give(slot, app)
                    throw Self.cancelled
                }
                return slot
            }
        }
        leave(id, app)
        throw Self.cancelled
    }

    func give(_ slot: Int, _ app: AppID) {
        free.append(slot)
        free.sort(by: >)
        running.remove(app)
        hand()
    }

    /// The task was cancelled; its turn may have come in that moment, and nobody has read that.
    private func leave(_ id: UInt64, _ app: AppID) {
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            waiting.remove(at: index)
            hand()
        } else if let slot = unread.removeValue(forKey: id) {
            give(slot, app)
        }
    }

    /// Gives free slots to the first who may have them, and tells the others where they stand now.
    private func hand() {
        while let index = waiting.firstIndex(where: { !running.contains($0.app) }), let slot = free.popLast() {
            let next = waiting.remove(at: index)
            running.insert(next.app)
            unread[next.id] = slot
            next.events.yield(.turn(slot: slot))
            next.events.finish()
        }
        for index in waiting.indices where waiting[index].ahead != index {
            waiting[index].ahead = index
            waiting[index].events.yield(.ahead(index))
        }
    }

    private static let cancelled = MoorError(.cancelled, "the build was cancelled while it waited for its turn")
}
