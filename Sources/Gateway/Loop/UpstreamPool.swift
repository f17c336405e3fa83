import Models
import NIOCore

/// One replica, or the control plane, as one event loop sees it: its idle connections and how many requests it has.
final class UpstreamPool {
    /// Nil for the control plane.
    let endpoint: Endpoint?
    /// Nil where the endpoint's host is no IP address.
    let address: SocketAddress?
    /// Requests and WebSockets that were given to it and have not ended.
    private(set) var inFlight = 0
    /// WebSockets among them.
    private(set) var webSockets = 0
    /// The endpoint's place among those that a viewer may stay with.
    let identity: UInt64
    /// No longer in the snapshot: connections are closed instead of kept.
    private(set) var isRetired = false
    /// Until when others are preferred, since it refused a connection.
    var avoidUntil = NIODeadline.uptimeNanoseconds(0)
    private var idle: [UpstreamConnection] = []
    private unowned let loop: GatewayLoop

    init(endpoint: Endpoint?, address: SocketAddress?, loop: GatewayLoop) {
        self.endpoint = endpoint
        self.address = address
        identity = Affinity.hash((endpoint?.description ?? "").utf8)
        self.loop = loop
    }

    /// For messages to owners and logs.
    var name: String { endpoint?.description ?? "the control plane" }
    var hasIdle: Bool { !idle.isEmpty }

    func begin() { inFlight += 1 }

    func end(webSocket: Bool) {
        inFlight -= 1
        if webSocket { webSockets -= 1 }
        if inFlight == webSockets { loop.poolIsQuiet(self) }
    }

    func becameWebSocket() {
        webSockets += 1
        if inFlight == webSockets { loop.poolIsQuiet(self) }
    }

    /// The connection that was used last, so that the others age and are closed.
    /// - Parameter maximumIdle: connections that waited longer are left alone: a request that must not be sent twice does not
    ///   take one that the other side may be closing.
    func takeIdle(notBefore oldest: NIODeadline) -> UpstreamConnection? {
        guard let last = idle.last, last.idleSince >= oldest else { return nil }
        return idle.removeLast()
    }

    /// Keeps the connection for a later request.
    /// - Returns: false where it should be closed.
    func park(_ connection: UpstreamConnection) -> Bool {
        guard !isRetired, idle.count < Self.maximumIdle else { return false }
        idle.append(connection)
        return true
    }

    func forget(_ connection: UpstreamConnection) {
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    func closeIdle(before oldest: NIODeadline) {
        guard let first = idle.first, first.idleSince < oldest else { return }
        let old = idle.prefix { $0.idleSince < oldest }
        idle.removeFirst(old.count)
        for connection in old { connection.close() }
    }

    func retire() {
        isRetired = true
        let all = idle
        idle.removeAll()
        for connection in all { connection.close() }
    }

    func reinstate() { isRetired = false }

    static let maximumIdle = 128
}
