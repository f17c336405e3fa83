import NIOCore

/// The decisions one event loop remembers, bounded, with second-chance replacement: what was asked for since the hand last came
/// by stays, so a flood of unknown cookies pushes out itself before it pushes out viewers at work.
struct ViewerCache {
    private struct Entry {
        var key: ViewerKey
        var decision: RememberedDecision
        var expires: NIODeadline
        var wasAskedFor: Bool
    }

    private var entries: [Entry] = []
    private var positions: [ViewerKey: Int] = [:]
    private var hand = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { entries.count }

    mutating func find(_ key: ViewerKey, now: NIODeadline) -> RememberedDecision? {
        guard let position = positions[key], entries[position].expires > now else { return nil }
        entries[position].wasAskedFor = true
        return entries[position].decision
    }

    mutating func remember(_ decision: RememberedDecision, for key: ViewerKey, until expires: NIODeadline, now: NIODeadline) {
        let entry = Entry(key: key, decision: decision, expires: expires, wasAskedFor: false)
        if let position = positions[key] {
            entries[position] = entry
        } else if entries.count < capacity {
            positions[key] = entries.count
            entries.append(entry)
        } else {
            while entries[hand].wasAskedFor, entries[hand].expires > now {
                entries[hand].wasAskedFor = false
                hand = (hand + 1) % capacity
            }
            positions[entries[hand].key] = nil
            positions[key] = hand
            entries[hand] = entry
            hand = (hand + 1) % capacity
        }
    }

    mutating func removeAll() {
        entries.removeAll()
        positions.removeAll()
        hand = 0
    }
}
