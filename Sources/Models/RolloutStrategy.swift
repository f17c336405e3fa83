/// How a process's new replicas take the place of the old: the strategies of Kubernetes' Deployments.
package struct RolloutStrategy: Codable, Sendable, Hashable {
    package enum Kind: String, Codable, Sendable {
        /// New replicas come beside old ones, as far as the bounds allow.
        case rolling
        /// Every old replica has ended before a new one starts.
        case recreate
    }

    /// So many replicas, or a share of those that are wanted.
    package enum Amount: Sendable, Hashable {
        case count(Int)
        case percent(Int)

        /// "25%" or "3"; nil for anything else, and above 100.
        package init?(_ text: String) {
            let isPercent = text.hasSuffix("%")
            guard let number = Int(isPercent ? text.dropLast() : text[...]), (0...100).contains(number) else { return nil }
            self = isPercent ? .percent(number) : .count(number)
        }
    }

    package var kind: Kind
    /// How many replicas there may be beyond those that are wanted.
    package var maxSurge: Amount
    /// How many of those that are wanted may be missing meanwhile.
    package var maxUnavailable: Amount

    package init(kind: Kind = .rolling, maxSurge: Amount = .percent(100), maxUnavailable: Amount = .count(0)) {
        self.kind = kind
        self.maxSurge = maxSurge
        self.maxUnavailable = maxUnavailable
    }

    /// In replicas, rounded as Kubernetes does: the surge up, what may be missing down; where both come to nothing, one may
    /// be missing, since nothing could change otherwise.
    package func bounds(of wanted: Int) -> (surge: Int, unavailable: Int) {
        let surge = maxSurge.replicas(of: wanted, roundedUp: true)
        let unavailable = min(wanted, maxUnavailable.replicas(of: wanted, roundedUp: false))
        return (surge, surge == 0 && unavailable == 0 ? 1 : unavailable)
    }
}

extension RolloutStrategy.Amount: Codable {
    private func share(_ percent: Int, of wanted: Int, roundedUp: Bool) -> Int { (percent * wanted + (roundedUp ? 99 : 0)) / 100 }

    fileprivate func replicas(of wanted: Int, roundedUp: Bool) -> Int {
        switch self {
        case .count(let count): count
        case .percent(let percent): share(percent, of: wanted, roundedUp: roundedUp)
        }
    }

    package var isZero: Bool { self == .count(0) || self == .percent(0) }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let amount = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither a number nor a share")
        }
        self = amount
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .count(let count): try container.encode(String(count))
        case .percent(let percent): try container.encode("\(percent)%")
        }
    }
}

/// How long replicas that get no new requests may go on with what they have; nil: as the platform has it.
package struct DrainTimes: Codable, Sendable, Hashable {
    package var requestSeconds: Int?
    package var webSocketSeconds: Int?

    package init(requestSeconds: Int? = nil, webSocketSeconds: Int? = nil) {
        self.requestSeconds = requestSeconds
        self.webSocketSeconds = webSocketSeconds
    }
}
