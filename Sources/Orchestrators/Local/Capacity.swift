import Models

/// Who has a place on this machine, who waits for one, and who is next. Pure: the same calls give the same answers.
///
/// A replica keeps its place from when it is let in until it is gone, through every restart. The oldest that waits comes first.
/// One that does not fit is passed by younger ones, which is no harm as long as nothing of what it waits for goes to them: what
/// was free when it became the first in the queue is theirs to use, what the apps have given back since then is kept for it.
/// (As EASY backfilling reserves for the head of the queue; nobody knows here when anything ends, so the reservation is of
/// room instead of time.) An app that replaces its own replicas gives back as much as it takes, and so is not held up.
struct Capacity: Hashable, Sendable {
    /// What one replica asks for.
    struct Demand: Hashable, Sendable {
        var id: ReplicaID
        var appID: AppID
        var releaseID: ReleaseID
        var room: Room
    }

    /// The first in the queue that does not fit, with how things were when it became that.
    private struct Head: Hashable, Sendable {
        var id: ReplicaID
        var free: Room
        var held: [AppID: Room]
    }

    private(set) var holders: [ReplicaID: Demand] = [:]
    private(set) var queue: [ReplicaID: Demand] = [:]
    private var head: Head?

    /// Takes a place without asking: what runs already.
    mutating func hold(_ demand: Demand) {
        queue[demand.id] = nil
        holders[demand.id] = demand
    }

    /// Asks for a place; asking twice changes nothing.
    mutating func wait(_ demand: Demand) { if holders[demand.id] == nil { queue[demand.id] = demand } }

    func holds(_ id: ReplicaID) -> Bool { holders[id] != nil }

    /// Forgets replicas that are gone, or wait no more.
    mutating func keep(present: Set<ReplicaID>, waiting: Set<ReplicaID>) {
        for id in holders.keys where !present.contains(id) { holders[id] = nil }
        for id in queue.keys where !waiting.contains(id) { queue[id] = nil }
    }

    /// Lets in whom there is room for.
    /// - Returns: those, the oldest first. Rows count up, so a lower number is older.
    mutating func admit(total: Room) -> [ReplicaID] {
        var admitted: [ReplicaID] = []
        if let first = head?.id, queue[first]?.room.lacks(in: total).isEmpty != true { head = nil }
        for demand in queue.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
            if reason(for: demand, total: total) == nil {
                if head?.id == demand.id { head = nil }
                hold(demand)
                admitted.append(demand.id)
            } else if demand.room.lacks(in: total).isEmpty, head.map({ demand.id.rawValue < $0.id.rawValue }) ?? true {
                head = Head(id: demand.id, free: total - used(), held: byApp())
            }
        }
        return admitted
    }

    /// Why there is no place for it now, for people; nil where there is.
    func reason(for demand: Demand, total: Room) -> String? {
        let (before, after) = (used(), used(with: demand))
        let (needs, free) = (after - before, Room.max(total - before, Room()))
        if let key = demand.room.lacks(in: total).first {
            let all = key == .gpu && total.gpus == 0 ? "none" : "\(Self.amount(key, total)) for apps"
            return "needs \(Self.text(key, demand.room)); this machine has \(all)"
        }
        if let key = needs.lacks(in: free).first {
            return key == .gpu && free.gpus == 0
                ? "needs \(Self.text(key, needs)), none is free" : "needs \(Self.text(key, needs)), \(Self.amount(key, free)) free"
        }
        if let head, demand.id.rawValue > head.id.rawValue, let wanted = queue[head.id], let key = passing(demand, head, wanted, total) {
            return "needs \(Self.text(key, needs)); what is free is kept for a replica that has waited longer"
        }
        return nil
    }

    /// Of what a younger one would take from what is kept for the head; nil where it may pass.
    private func passing(_ demand: Demand, _ head: Head, _ wanted: Demand, _ total: Room) -> ResourceKey? {
        // What apps hold beyond what they held then.
        var taken = Room()
        for (app, room) in byApp(with: demand) { taken = taken + Room.max(room - (head.held[app] ?? Room()), Room()) }
        // Where there was enough for the head, that much stays; where not, it must fit once all the others are gone.
        let free = Room.max(head.free, Room())
        let lacking = wanted.room.lacks(in: free)
        let (beside, most) = (free - wanted.room, total - wanted.room)
        let spare = Room(
            cpuMillis: lacking.contains(.cpu) ? min(free.cpuMillis, most.cpuMillis) : beside.cpuMillis,
            memoryBytes: lacking.contains(.memory) ? min(free.memoryBytes, most.memoryBytes) : beside.memoryBytes,
            gpus: lacking.contains(.gpu) ? min(free.gpus, most.gpus) : beside.gpus)
        // What it does not ask for cannot stand in its way.
        return taken.lacks(in: spare).first { demand.room.lacks(in: Room()).contains($0) }
    }

    func used(with another: Demand? = nil) -> Room { byApp(with: another).values.reduce(Room(), +) }

    /// An app's releases share its GPUs while one replaces the other, since no engine gives out a part of one; everything else
    /// counts twice then.
    private func byApp(with another: Demand? = nil) -> [AppID: Room] {
        var rooms: [AppID: Room] = [:]
        var gpus: [AppID: [ReleaseID: Int]] = [:]
        for demand in Array(holders.values) + (another.map { [$0] } ?? []) {
            rooms[demand.appID] = (rooms[demand.appID] ?? Room()) + demand.room
            gpus[demand.appID, default: [:]][demand.releaseID, default: 0] += demand.room.gpus
        }
        for (app, byRelease) in gpus { rooms[app]?.gpus = byRelease.values.max() ?? 0 }
        return rooms
    }

    private static func text(_ key: ResourceKey, _ room: Room) -> String {
        switch key {
        case .memory: "\(amount(key, room)) of memory"
        case .gpu: "\(room.gpus) \(room.gpus == 1 ? "GPU" : "GPUs")"
        default: amount(key, room)
        }
    }

    private static func amount(_ key: ResourceKey, _ room: Room) -> String {
        switch key {
        case .memory: Quantity.text(bytes: room.memoryBytes)
        case .gpu: "\(room.gpus)"
        default: Quantity.text(millis: room.cpuMillis)
        }
    }
}
