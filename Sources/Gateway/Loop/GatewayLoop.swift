import Logging
import Models
import NIOCore

/// Everything of the gateway that belongs to one event loop. Only that loop touches it, so it needs no lock.
final class GatewayLoop {
    let eventLoop: any EventLoop
    let configuration: GatewayConfiguration
    let logger: Logger
    let cookies = CookieFilter()
    /// Hands a question to the service; false where too many wait.
    let jobs: @Sendable (GatewayJob) -> Bool

    /// A coarse clock for deadlines and expiry, moved by `tick`.
    var now = NIODeadline.now()
    var routes: [String: LoopRoute] = [:]
    var pools: [Endpoint: UpstreamPool] = [:]
    private(set) lazy var control = UpstreamPool(
        endpoint: nil, address: try? SocketAddress(unixDomainSocketPath: configuration.controlSocket), loop: self)
    var viewerEpoch: UInt64 = 0
    var viewers: ViewerCache
    var undecided: [ViewerKey: [ClientConnection]] = [:]
    var counters = GatewayCounters()
    /// Of each app that has a canary, or had the last.
    var comparisons: [AppID: Comparison] = [:]
    var drainWaiters: [DrainWaiter] = []
    /// Client connections; each knows its place, so that leaving is cheap.
    var clients: [ClientConnection] = []
    var isStopping = false
    var stopWaiter: EventLoopPromise<Void>?
    var isTicking = false
    /// The key set for the inside listeners, and who waits for it.
    var keys: ByteBuffer?
    var keysExpire = NIODeadline.uptimeNanoseconds(0)
    var keysWaiters: [(ByteBuffer?) -> Void] = []
    private var generator: UInt64

    init(
        eventLoop: any EventLoop, configuration: GatewayConfiguration, logger: Logger,
        jobs: @escaping @Sendable (GatewayJob) -> Bool
    ) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.logger = logger
        self.jobs = jobs
        viewers = ViewerCache(capacity: configuration.viewerCacheCapacity)
        generator = UInt64.random(in: .min ... .max)
    }

    /// A fresh request id (SplitMix64): unique, not secret.
    func nextRequestID() -> UInt64 {
        generator &+= 0x9E37_79B9_7F4A_7C15
        var mixed = generator
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    func add(_ client: ClientConnection) {
        client.place = clients.count
        clients.append(client)
        startTicking()
        if isStopping { client.stop() }
    }

    func remove(_ client: ClientConnection) {
        guard client.place < clients.count, clients[client.place] === client else { return }
        let last = clients.removeLast()
        if last !== client {
            clients[client.place] = last
            last.place = client.place
        }
        if clients.isEmpty { stopWaiter?.succeed(()) }
    }
}
