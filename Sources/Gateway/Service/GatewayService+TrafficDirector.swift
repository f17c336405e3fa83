package import Models
import NIOCore

extension GatewayService {
    package func publish(_ snapshot: RouteSnapshot) async {
        guard !hasEnded else { return }
        await loops.publish(snapshot)
    }

    @discardableResult
    package func drain(_ endpoints: [Endpoint], deadline: Duration, webSockets: Bool = true) async -> Int {
        guard !hasEnded else { return 0 }
        return await loops.drain(Set(endpoints), deadline: deadline, webSockets: webSockets)
    }

    package func cutWebSockets(_ endpoints: [Endpoint]) async {
        guard !hasEnded else { return }
        await loops.cutWebSockets(Set(endpoints))
    }

    package func comparison(of appID: AppID) async -> [ReleaseTraffic] {
        hasEnded ? [] : await loops.comparison(of: appID)
    }

    /// What was done since the start.
    package func counters() async -> GatewayCounters {
        hasEnded ? GatewayCounters() : await loops.counters()
    }
}
