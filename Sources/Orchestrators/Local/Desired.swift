import Foundation
import Models

/// An app's workload, cut into slots.
struct Desired: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        var set: ReplicaSet
        var digest: String
    }

    var slots: [Slot: Member] = [:]

    init(_ workload: Workload) {
        for set in workload.sets where set.count > 0 {
            let member = Member(set: set, digest: Self.digest(of: set))
            for ordinal in 1...set.count where !set.without.contains(ordinal) {
                slots[Slot(releaseID: set.releaseID, process: set.process.name, ordinal: ordinal)] = member
            }
        }
    }

    /// Nothing should run.
    init() {}

    var digests: [Slot: String] { slots.mapValues(\.digest) }

    /// Of everything a container is made from but the count.
    static func digest(of set: ReplicaSet) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let process = set.process
        // `replicas` is what the formation began with and makes no difference to one of them.
        let parts: [any Encodable] = [process.name, process.command, process.resources, process.health, set.image, set.environment]
        var bytes: [UInt8] = []
        for part in parts { bytes += ((try? encoder.encode(part)).map(Array.init) ?? []) + [0] }
        return String(stableHash(bytes), radix: 16)
    }
}
