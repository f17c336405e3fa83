import Models

/// An amount of what replicas share on one machine.
package struct Room: Hashable, Sendable {
    /// Thousandths of a core.
    package var cpuMillis: Int
    package var memoryBytes: Int64
    var gpus: Int

    package init(cpuMillis: Int, memoryBytes: Int64) { self.init(cpuMillis: cpuMillis, memoryBytes: memoryBytes, gpus: 0) }

    init(cpuMillis: Int = 0, memoryBytes: Int64 = 0, gpus: Int = 0) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.gpus = gpus
    }

    /// Of a machine that nobody counts on.
    static let endless = Room(cpuMillis: .max, memoryBytes: .max, gpus: .max)

    static func + (a: Room, b: Room) -> Room { combine(a, b, &+) }
    static func - (a: Room, b: Room) -> Room { combine(a, b, &-) }
    static func max(_ a: Room, _ b: Room) -> Room {
        Room(
            cpuMillis: Swift.max(a.cpuMillis, b.cpuMillis), memoryBytes: Swift.max(a.memoryBytes, b.memoryBytes),
            gpus: Swift.max(a.gpus, b.gpus))
    }

    private static func combine(_ a: Room, _ b: Room, _ both: (Int, Int) -> Int) -> Room {
        Room(
            cpuMillis: both(a.cpuMillis, b.cpuMillis), memoryBytes: Int64(both(Int(a.memoryBytes), Int(b.memoryBytes))),
            gpus: both(a.gpus, b.gpus))
    }

    /// Of which kinds this asks for more than `other` has.
    func lacks(in other: Room) -> [ResourceKey] {
        var keys: [ResourceKey] = []
        if memoryBytes > 0, memoryBytes > other.memoryBytes { keys.append(.memory) }
        if cpuMillis > 0, cpuMillis > other.cpuMillis { keys.append(.cpu) }
        if gpus > 0, gpus > other.gpus { keys.append(.gpu) }
        return keys
    }
}

extension ProcessSpec {
    /// What a replica counts with: its caps. Where nobody asked for any, the default cap is a guess at the worst, and it counts
    /// as Kubernetes' LimitRange examples do for a request that is not named: 100m and 256Mi.
    var demand: Room {
        let usual = Resources()
        let isCPUAsked = declared.contains(.cpu) || resources.cpuMillis != usual.cpuMillis
        let isMemoryAsked = declared.contains(.memory) || resources.memoryBytes != usual.memoryBytes
        return Room(
            cpuMillis: isCPUAsked ? resources.cpuMillis : min(resources.cpuMillis, 100),
            memoryBytes: isMemoryAsked ? resources.memoryBytes : min(resources.memoryBytes, 256 << 20),
            gpus: resources.areGPUsOptional ? 0 : resources.gpus)
    }
}
