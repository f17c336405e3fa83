package import Models
import NIOCore

extension GatewayService {
    package func publish(_ snapshot: RouteSnapshot) async {
        await loops.publish(snapshot)
    }

    @discardableResult
    package func drain(_ endpoints: [Endpoint], deadline: Duration) async -> Int {
        await loops.drain(Set(endpoints), deadline: deadline)
    }

    /// What was done since the start.
    package func counters() async -> GatewayCounters {
        await loops.counters()
    }
}
