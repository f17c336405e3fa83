import Models
import NIOCore

/// What one release answered on one event loop, in a fixed few hundred bytes.
final class ReleaseTally {
    var requests = 0
    var errors = 0
    var latencies = LatencyHistogram()

    func answered(status: Int, after time: TimeAmount) {
        if status >= 500 { errors += 1 }
        latencies.add(time)
    }
}

/// A canary and the live release beside it, since the canary began or the gateway did.
final class Comparison {
    let canaryID: ReleaseID
    let liveID: ReleaseID
    let canary = ReleaseTally()
    let live = ReleaseTally()

    init(canaryID: ReleaseID, liveID: ReleaseID) {
        self.canaryID = canaryID
        self.liveID = liveID
    }

    var parts: [ReleaseTallyPart] {
        [(liveID, live), (canaryID, canary)].map { id, tally in
            ReleaseTallyPart(releaseID: id, requests: tally.requests, errors: tally.errors, latencies: tally.latencies)
        }
    }
}

/// One event loop's share of what a release answered.
struct ReleaseTallyPart: Sendable {
    var releaseID: ReleaseID
    var requests: Int
    var errors: Int
    var latencies: LatencyHistogram
}

/// Times by powers of two, each cut into four: a quantile is off by an eighth at most.
struct LatencyHistogram: Sendable {
    private var counts = [UInt32](repeating: 0, count: 128)

    mutating func add(_ time: TimeAmount) {
        let index = Self.index(UInt64(max(0, time.nanoseconds / 1000)))
        counts[index] &+= 1
    }

    mutating func merge(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
    }

    /// In milliseconds; nil where nothing was counted.
    func quantile(_ share: Double) -> Double? {
        let total = counts.reduce(0) { $0 + Int($1) }
        guard total > 0 else { return nil }
        var left = max(1, Int((Double(total) * share).rounded(.up)))
        for (index, count) in counts.enumerated() {
            left -= Int(count)
            if left <= 0 { return Double(Self.lowest(index) + Self.lowest(index + 1)) / 2000 }
        }
        return nil
    }

    /// Below four microseconds each has a place of its own.
    private static func index(_ microseconds: UInt64) -> Int {
        guard microseconds >= 4 else { return Int(microseconds) }
        let exponent = 63 - microseconds.leadingZeroBitCount
        return min(127, (exponent - 1) * 4 + Int((microseconds >> UInt64(exponent - 2)) & 3))
    }

    private static func lowest(_ index: Int) -> UInt64 {
        guard index >= 4 else { return UInt64(index) }
        return (4 + UInt64(index % 4)) << UInt64(index / 4 - 1)
    }
}

extension GatewayLoop {
    func comparison(of appID: AppID) -> [ReleaseTallyPart] { comparisons[appID]?.parts ?? [] }
}
