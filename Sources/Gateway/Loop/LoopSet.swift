import Logging
import Models
import NIOCore
import NIOPosix

/// The event loops with what belongs to each. Hands work to all of them at once and waits for the last.
final class LoopSet: Sendable {
    private struct Member: Sendable {
        var eventLoop: any EventLoop
        var box: NIOLoopBoundBox<GatewayLoop>
    }

    private let members: [ObjectIdentifier: Member]

    init(
        group: MultiThreadedEventLoopGroup, configuration: GatewayConfiguration, logger: Logger,
        jobs: AsyncStream<GatewayJob>.Continuation
    ) {
        var members: [ObjectIdentifier: Member] = [:]
        for eventLoop in group.makeIterator() {
            let loop = GatewayLoop(eventLoop: eventLoop, configuration: configuration, logger: logger) { job in
                if case .enqueued = jobs.yield(job) { true } else { false }
            }
            members[ObjectIdentifier(eventLoop)] = Member(
                eventLoop: eventLoop, box: NIOLoopBoundBox.makeBoxSendingValue(loop, eventLoop: eventLoop))
        }
        self.members = members
    }

    /// What belongs to the loop that calls.
    subscript(eventLoop: any EventLoop) -> GatewayLoop {
        guard let member = members[ObjectIdentifier(eventLoop)] else { preconditionFailure("an event loop of another group") }
        return member.box.value
    }

    /// All loops are told in one go, before anything is awaited, so that two snapshots reach each loop in the same order.
    func publish(_ snapshot: RouteSnapshot) async {
        await onEach { $0.eventLoop.makeSucceededFuture($0.adopt(snapshot)) }
    }

    func drain(_ endpoints: Set<Endpoint>, deadline: Duration, webSockets: Bool) async -> Int {
        await onEach { $0.drain(endpoints, deadline: TimeAmount(deadline), webSockets: webSockets) }.reduce(0, +)
    }

    func cutWebSockets(_ endpoints: Set<Endpoint>) async {
        await onEach { $0.eventLoop.makeSucceededFuture($0.cutWebSockets(endpoints)) }
    }

    func comparison(of appID: AppID) async -> [ReleaseTraffic] {
        let parts = await onEach { $0.eventLoop.makeSucceededFuture($0.comparison(of: appID)) }.flatMap(\.self)
        var order: [ReleaseID] = []
        var sums: [ReleaseID: ReleaseTallyPart] = [:]
        for part in parts {
            guard var sum = sums[part.releaseID] else {
                order.append(part.releaseID)
                sums[part.releaseID] = part
                continue
            }
            sum.requests += part.requests
            sum.errors += part.errors
            sum.latencies.merge(part.latencies)
            sums[part.releaseID] = sum
        }
        return order.compactMap { sums[$0] }.map { sum in
            var traffic = ReleaseTraffic(releaseID: sum.releaseID)
            (traffic.requests, traffic.errors) = (sum.requests, sum.errors)
            traffic.p50Milliseconds = sum.latencies.quantile(0.5)
            traffic.p95Milliseconds = sum.latencies.quantile(0.95)
            return traffic
        }
    }

    func stop(deadline: Duration) async {
        await onEach { $0.stop(deadline: TimeAmount(deadline)) }
    }

    func counters() async -> GatewayCounters {
        await onEach { $0.eventLoop.makeSucceededFuture($0.counters) }.reduce(into: GatewayCounters()) { $0.add($1) }
    }

    /// - Returns: the loops' results; none of those that are gone.
    @discardableResult
    private func onEach<T: Sendable>(_ body: @escaping @Sendable (GatewayLoop) -> EventLoopFuture<T>) async -> [T] {
        let futures = members.values.map { member in
            member.eventLoop.flatSubmit { body(member.box.value) }
        }
        var results: [T] = []
        for future in futures {
            if let result = try? await future.get() { results.append(result) }
        }
        return results
    }
}
