import Models

/// Lets a few builds run at once; the rest wait in the order they came.
actor BuildSlots {
    private var free: Int
    private var waiting: [(id: UInt64, turn: CheckedContinuation<Bool, Never>)] = []
    private var nextID: UInt64 = 0

    init(_ count: Int) { free = max(1, count) }

    /// Waits for a slot. - Returns: how many waited before this one; nil where it had to wait for nobody.
    var ahead: Int? { free > 0 ? nil : waiting.count + 1 }

    /// - Throws: `cancelled` where the task is cancelled while it waits; it holds no slot then.
    func take() async throws(MoorError) {
        if free > 0 {
            free -= 1
            return
        }
        nextID += 1
        let id = nextID
        let got = await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                if Task.isCancelled { turn.resume(returning: false) } else { waiting.append((id, turn)) }
            }
        } onCancel: {
            Task { await self.giveUp(id) }
        }
        guard got else { throw MoorError(.cancelled, "the build was cancelled while it waited for its turn") }
    }

    private func giveUp(_ id: UInt64) {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return }
        waiting.remove(at: index).turn.resume(returning: false)
    }

    func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().turn.resume(returning: true) }
    }
}
