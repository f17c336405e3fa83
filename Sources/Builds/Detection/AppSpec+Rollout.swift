import Models

extension AppSpec {
    /// `processes.NAME.rollout`
    static func rollout(_ field: Field) throws(MoorError) -> RolloutStrategy {
        var strategy = RolloutStrategy()
        var hasBounds = false
        for (key, value) in try field.fields(["strategy", "max_surge", "max_unavailable"]) {
            let expected = "a number of replicas or a share of them, from 0 to 100, such as 1 or 25%"
            switch key {
            case "strategy":
                strategy.kind = try value.quantity("rolling or recreate") { RolloutStrategy.Kind(rawValue: $0) }
            case "max_surge":
                strategy.maxSurge = try value.quantity(expected) { RolloutStrategy.Amount($0) }
                hasBounds = true
            default:
                strategy.maxUnavailable = try value.quantity(expected) { RolloutStrategy.Amount($0) }
                hasBounds = true
            }
        }
        guard !strategy.maxSurge.isZero || !strategy.maxUnavailable.isZero else {
            throw field.error("lets nothing ever change: max_surge and max_unavailable cannot both be 0")
        }
        guard strategy.kind == .rolling || !hasBounds else {
            throw field.error("has strategy recreate, which ends every replica first: leave out max_surge and max_unavailable")
        }
        return strategy
    }

    /// `drain`
    static func drain(_ field: Field) throws(MoorError) -> DrainTimes {
        var times = DrainTimes()
        for (key, value) in try field.fields(["requests", "websockets"]) {
            if key == "requests" {
                times.requestSeconds = try value.quantity("a time of at most an hour, such as 60s", Quantity.seconds)
            } else {
                times.webSocketSeconds = try value.quantity("a time of at most a day, such as 4h") { text in
                    guard let time = Models.Quantity.duration(text), time >= .seconds(1), time <= .seconds(86_400) else { return nil }
                    return Int(time.components.seconds)
                }
            }
        }
        return times
    }
}
