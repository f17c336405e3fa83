import NIOCore

/// Where the gateway listens, whom it forwards to, and its limits.
package struct GatewayConfiguration: Sendable {
    /// IP address or name to listen on.
    package var listenHost: String
    /// 0 lets the system choose.
    package var listenPort: Int
    /// The panel's host, lower case, without port; its requests go to the control plane.
    package var panelHost: String
    /// Path of the Unix socket on which the control plane (panel, API, git) answers HTTP/1.1.
    package var controlSocket: String
    /// Event loops, each on a thread of its own.
    package var eventLoopCount: Int
    /// How long requests in flight may take to finish at shutdown.
    package var drainDeadline: Duration
    /// How long an upstream may take to accept a connection.
    package var connectTimeout: Duration
    /// How long an app may take from the end of the request to the first byte of its answer. The control plane has no limit.
    package var responseHeadTimeout: Duration
    /// How long a client may take from the first byte of a request to the end of its head.
    package var clientHeadTimeout: Duration
    /// How long a client connection is kept without a request.
    package var idleTimeout: Duration
    /// How long a client may go without taking or sending a byte while the gateway waits for it to.
    package var stallTimeout: Duration
    /// How long a connection to an upstream is kept for the next request. Below the two seconds after which gunicorn closes.
    package var upstreamIdleTimeout: Duration
    /// Longest head of a request or response, in bytes.
    package var maxHeaderBytes: Int
    /// How many viewer decisions each event loop remembers.
    package var viewerCacheCapacity: Int
    /// `X-Forwarded-Proto` as apps are told.
    package var publicScheme: String
    /// Port of the inside listeners; 0 lets the system choose one per address.
    package var insidePort: Int
    /// The JSON Web Key Set that the inside listeners serve.
    package var jwks: @Sendable () async -> String

    package init(
        listenHost: String, listenPort: Int, panelHost: String, controlSocket: String,
        eventLoopCount: Int = System.coreCount, drainDeadline: Duration = .seconds(30), connectTimeout: Duration = .seconds(2),
        responseHeadTimeout: Duration = .seconds(60), clientHeadTimeout: Duration = .seconds(10),
        idleTimeout: Duration = .seconds(75), stallTimeout: Duration = .seconds(120),
        upstreamIdleTimeout: Duration = .milliseconds(1500), maxHeaderBytes: Int = 64 * 1024, viewerCacheCapacity: Int = 10_000,
        publicScheme: String = "http", insidePort: Int = 0, jwks: @escaping @Sendable () async -> String
    ) {
        self.listenHost = listenHost
        self.listenPort = listenPort
        self.panelHost = panelHost
        self.controlSocket = controlSocket
        self.eventLoopCount = eventLoopCount
        self.drainDeadline = drainDeadline
        self.connectTimeout = connectTimeout
        self.responseHeadTimeout = responseHeadTimeout
        self.clientHeadTimeout = clientHeadTimeout
        self.idleTimeout = idleTimeout
        self.stallTimeout = stallTimeout
        self.upstreamIdleTimeout = upstreamIdleTimeout
        self.maxHeaderBytes = maxHeaderBytes
        self.viewerCacheCapacity = viewerCacheCapacity
        self.publicScheme = publicScheme
        self.insidePort = insidePort
        self.jwks = jwks
    }

    /// How often deadlines are looked at: a quarter of the shortest, between 20 ms and 250 ms.
    var tick: TimeAmount {
        let shortest = [responseHeadTimeout, clientHeadTimeout, idleTimeout, stallTimeout, upstreamIdleTimeout].min() ?? .seconds(1)
        return min(max(TimeAmount(shortest / 4), .milliseconds(20)), .milliseconds(250))
    }

    var upstreamIdle: TimeAmount { TimeAmount(upstreamIdleTimeout) }
}
