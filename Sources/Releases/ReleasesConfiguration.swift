package import Models

/// What releases need to know of the platform they run on.
package struct ReleasesConfiguration: Sendable {
    /// The file of 32 random bytes that config is sealed with; made with mode 0600 on first use.
    package var keyFile: String
    /// The panel's address, `MOOR_PANEL_URL`.
    package var panelURL: String
    /// An app's address, `MOOR_URL`.
    package var appURL: @Sendable (AppName) -> String
    /// The platform's host name, `DASH_DOMAIN_BASE`.
    package var domain: String
    /// How long requests and WebSockets of retired replicas may go on, where their app says nothing else.
    package var drainDeadline: Duration
    /// Superseded releases of one app that may finish what they have at the same time.
    package var drainingReleases: Int
    /// How long a push waits while its rollout is paused.
    package var pauseLimit: Duration
    /// How many superseded releases can be rolled back to.
    package var keptReleases: Int
    /// Time beyond the health check's own in which the orchestrator must have said how a replica fares.
    package var readySlack: Duration
    /// How long to wait before handing the orchestrator a workload again that it refused; doubles up to thirty times this.
    package var retryDelay: Duration
    /// For the whole of a `release` command.
    package var releaseCommandLimit: Duration

    package init(
        keyFile: String, panelURL: String, appURL: @escaping @Sendable (AppName) -> String, domain: String,
        drainDeadline: Duration = .seconds(60), drainingReleases: Int = 2, pauseLimit: Duration = .seconds(3600), keptReleases: Int = 10,
        readySlack: Duration = .seconds(15), retryDelay: Duration = .seconds(1), releaseCommandLimit: Duration = .seconds(600)
    ) {
        self.keyFile = keyFile
        self.panelURL = panelURL
        self.appURL = appURL
        self.domain = domain
        self.drainDeadline = drainDeadline
        self.drainingReleases = drainingReleases
        self.pauseLimit = pauseLimit
        self.keptReleases = keptReleases
        self.readySlack = readySlack
        self.retryDelay = retryDelay
        self.releaseCommandLimit = releaseCommandLimit
    }
}

/// How releases steer requests; Platform implements it with the gateway.
package struct TrafficControl: Sendable {
    /// Recomputes the routes from rows and ready replicas and publishes them; returns when new requests follow them.
    package var refresh: @Sendable () async -> Void
    /// Returns when no request is open to the endpoints any more, or at the deadline, with how many still were; WebSockets are
    /// waited for where the last says so.
    package var drain: @Sendable ([Endpoint], Duration, Bool) async -> Int
    /// Closes the WebSockets that are open to the endpoints.
    package var cut: @Sendable ([Endpoint]) async -> Void
    /// What a canary and the live release answered since it began.
    package var compare: @Sendable (AppID) async -> [ReleaseTraffic]

    package init(
        refresh: @escaping @Sendable () async -> Void, drain: @escaping @Sendable ([Endpoint], Duration, Bool) async -> Int,
        cut: @escaping @Sendable ([Endpoint]) async -> Void = { _ in },
        compare: @escaping @Sendable (AppID) async -> [ReleaseTraffic] = { _ in [] }
    ) {
        self.refresh = refresh
        self.drain = drain
        self.cut = cut
        self.compare = compare
    }
}
