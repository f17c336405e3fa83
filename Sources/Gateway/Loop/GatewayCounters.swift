/// What the gateway has done since it started, summed over its event loops.
package struct GatewayCounters: Sendable, Hashable {
    /// Requests whose head was read, refused ones included.
    package var requests = 0
    /// Answers by the first digit of their status, 1 to 5; at 0 what was none of these.
    package var byClass = [0, 0, 0, 0, 0, 0]
    /// Requests and WebSockets given to an upstream that have not ended.
    package var inFlight = 0
    /// Refused connections, cut answers, answers that are no HTTP and answers that did not come in time.
    package var upstreamErrors = 0
    /// Requests that were sent again, or to another replica.
    package var retries = 0
    /// Connections opened to upstreams.
    package var upstreamConnections = 0
    /// Questions put to the viewer authority.
    package var decisions = 0
    /// Open client connections.
    package var clients = 0

    mutating func count(status: Int) {
        let hundreds = status / 100
        byClass[hundreds >= 1 && hundreds <= 5 ? hundreds : 0] += 1
    }

    mutating func add(_ other: GatewayCounters) {
        requests += other.requests
        for index in byClass.indices { byClass[index] += other.byClass[index] }
        inFlight += other.inFlight
        upstreamErrors += other.upstreamErrors
        retries += other.retries
        upstreamConnections += other.upstreamConnections
        decisions += other.decisions
        clients += other.clients
    }
}
