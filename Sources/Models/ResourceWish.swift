/// One thing that a replica is given a share of, by the word that moor.yaml and people use.
package enum ResourceKey: String, Codable, Sendable, CaseIterable, Comparable {
    case cpu, memory, pids, disk, gpu

    package static func < (a: ResourceKey, b: ResourceKey) -> Bool { allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)! }
}

/// What somebody set for a process in place of what the app's own files say; nil: as they say. Each release has its own, and
/// the next one takes them over.
package struct ResourceWish: Codable, Sendable, Hashable {
    package var cpuMillis: Int?
    package var memoryBytes: Int64?
    package var pids: Int?
    package var diskBytes: Int64?
    package var gpus: Int?
    /// The user name of who said it last.
    package var by: String?

    package init(
        cpuMillis: Int? = nil, memoryBytes: Int64? = nil, pids: Int? = nil, diskBytes: Int64? = nil, gpus: Int? = nil, by: String? = nil
    ) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.pids = pids
        self.diskBytes = diskBytes
        self.gpus = gpus
        self.by = by
    }

    /// What it says something of.
    package var keys: [ResourceKey] {
        let set: [(ResourceKey, Bool)] = [
            (.cpu, cpuMillis != nil), (.memory, memoryBytes != nil), (.pids, pids != nil), (.disk, diskBytes != nil), (.gpu, gpus != nil),
        ]
        return set.filter(\.1).map(\.0)
    }

    /// This, with what `newer` says in its place.
    package func overridden(by newer: ResourceWish) -> ResourceWish {
        ResourceWish(
            cpuMillis: newer.cpuMillis ?? cpuMillis, memoryBytes: newer.memoryBytes ?? memoryBytes, pids: newer.pids ?? pids,
            diskBytes: newer.diskBytes ?? diskBytes, gpus: newer.gpus ?? gpus, by: newer.by ?? by)
    }

    /// The process as it runs where this is wished.
    package func applied(to process: ProcessSpec) -> ProcessSpec {
        var process = process
        if let cpuMillis { process.resources.cpuMillis = cpuMillis }
        if let memoryBytes { process.resources.memoryBytes = memoryBytes }
        if let pids { process.resources.pids = pids }
        if let diskBytes { process.resources.diskBytes = diskBytes }
        if let gpus {
            process.resources.gpus = gpus
            process.resources.areGPUsOptional = false
        }
        process.declared = Set(process.declared + keys).sorted()
        return process
    }

    /// - Throws: `invalid` for what no container can be given.
    package func check() throws(MoorError) {
        func refuse(_ what: String, _ range: String) throws(MoorError) { throw MoorError(.invalid, "\(what) is out of range", hint: range) }
        if let cpuMillis, !(1...1_000_000).contains(cpuMillis) { try refuse("cpu", "give cores such as 500m or 2") }
        if let memoryBytes, !(6 << 20...1 << 50).contains(memoryBytes) { try refuse("memory", "give at least 6Mi, such as 512Mi or 1Gi") }
        if let pids, !(16...32768).contains(pids) { try refuse("pids", "give a whole number from 16 to 32768") }
        if let diskBytes, !(1 << 20...1 << 50).contains(diskBytes) { try refuse("disk", "give at least 1Mi, such as 2Gi") }
        if let gpus, !(0...16).contains(gpus) { try refuse("gpu", "give a number of GPUs from 0 to 16") }
    }
}
