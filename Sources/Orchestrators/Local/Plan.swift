import Engine
import Models

/// What to do so that what is becomes what should be. Pure: the same input gives the same plan, and doing a plan's actions
/// brings the next plan nearer to empty.
struct Plan: Hashable, Sendable {
    enum Action: Hashable, Sendable {
        /// Make a row for the slot; its replica is launched by the plan after.
        case insert(Slot)
        /// Create and start the replica's container.
        case launch(ReplicaID)
        /// Stop the replica, remove its container, then its row.
        case end(ReplicaID)
    }

    var actions: [Action] = []
    /// When to plan again though nothing else happened.
    var wakeAt: Instant?

    /// - Parameters:
    ///   - desired: the digest of what should run in each slot; nil while nobody has said, and then nothing is touched.
    ///   - replicas: every row, at most one launched container each.
    init(desired: [Slot: String]?, replicas: some Collection<Replica>, now: Instant) {
        guard let desired else { return }
        var bySlot: [Slot: [Replica]] = [:]
        for replica in replicas where replica.standing > 0 {
            if desired[replica.slot] == nil {
                actions.append(.end(replica.id))
            } else {
                bySlot[replica.slot, default: []].append(replica)
            }
        }
        for (slot, digest) in desired.sorted(by: { $0.key < $1.key }) {
            plan(slot, digest: digest, replicas: bySlot[slot] ?? [], now: now)
        }
    }

    private mutating func plan(_ slot: Slot, digest: String, replicas: [Replica], now: Instant) {
        let best = replicas.filter { $0.digest == digest }
            .max { ($0.standing, -$0.id.rawValue) < ($1.standing, -$1.id.rawValue) }
        for replica in replicas where replica.id != best?.id {
            // What runs by an older specification goes on until the new one answers.
            let isNeeded = replica.digest != digest && replica.standing >= 3 && best?.isReady != true
            if !isNeeded { actions.append(.end(replica.id)) }
        }
        guard let best else {
            actions.append(.insert(slot))
            return
        }
        guard case .waiting(let until, _) = best.phase else { return }
        if until <= now {
            actions.append(.launch(best.id))
        } else {
            wakeAt = min(wakeAt ?? until, until)
        }
    }
}

/// What a look at all the engine's containers shows that no event told.
enum Finding: Hashable, Sendable {
    /// The replica's container ended or is gone.
    case ended(ReplicaID, containerID: String)
    /// A container of ours that belongs to nothing.
    case orphan(containerID: String)

    /// - Parameters:
    ///   - containers: everything of this platform, as listed at `takenAt` (the time before the engine was asked).
    ///   - oneOffs: labels of commands under way.
    static func audit(
        _ containers: [ContainerSummary], takenAt: Instant, replicas: [ReplicaID: Replica], oneOffs: Set<String>
    ) -> [Finding] {
        var findings: [Finding] = []
        var running: Set<String> = []
        for container in containers {
            if container.isRunning { running.insert(container.id) }
            if let oneOff = container.labels[Label.oneOff] {
                if !oneOffs.contains(oneOff) { findings.append(.orphan(containerID: container.id)) }
                continue
            }
            guard let id = container.labels[Label.replica].flatMap({ Int64($0) }), let replica = replicas[ReplicaID(id)] else {
                findings.append(.orphan(containerID: container.id))
                continue
            }
            switch replica.phase {
            case .launching, .burying, .ending: break
            case .waiting: findings.append(.orphan(containerID: container.id))
            case .running(let current, _, let since, _):
                // A list older than the container knows nothing of it.
                if current != container.id, since < takenAt { findings.append(.orphan(containerID: container.id)) }
            }
        }
        for replica in replicas.values {
            guard case .running(let current, _, let since, _) = replica.phase, since < takenAt, !running.contains(current) else { continue }
            findings.append(.ended(replica.id, containerID: current))
        }
        return findings
    }
}
