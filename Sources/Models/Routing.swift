/// Which replicas answer for which host: everything the gateway knows about apps, swapped whole.
package struct RouteSnapshot: Sendable, Hashable {
    package struct Route: Sendable, Hashable {
        package var appID: AppID
        package var app: AppName
        /// Ready replicas of the live release; empty where none is.
        package var endpoints: [Endpoint]
        /// Why there are none, for the owner ("no release yet", "all replicas of v3 are backing off").
        package var emptyReason: String
        /// Each viewer stays with one endpoint for as long as it is there.
        package var isSticky: Bool
        /// A second release that gets some of the viewers.
        package var canary: Canary?

        package init(
            appID: AppID, app: AppName, endpoints: [Endpoint], emptyReason: String = "", isSticky: Bool = false, canary: Canary? = nil
        ) {
            self.appID = appID
            self.app = app
            self.endpoints = endpoints
            self.emptyReason = emptyReason
            self.isSticky = isSticky
            self.canary = canary
        }
    }

    /// A viewer is on one side for as long as the session lasts; a share that grows takes viewers over and moves none back.
    package struct Canary: Sendable, Hashable {
        package var releaseID: ReleaseID
        package var endpoints: [Endpoint]
        /// Of a hundred viewers.
        package var percent: Int
        /// The release that it is compared with.
        package var liveID: ReleaseID

        package init(releaseID: ReleaseID, endpoints: [Endpoint], percent: Int, liveID: ReleaseID) {
            self.releaseID = releaseID
            self.endpoints = endpoints
            self.percent = percent
            self.liveID = liveID
        }
    }

    /// By lower-case host name without port.
    package var routes: [String: Route]
    /// Raised whenever a session, an access rule or a user changed: what the gateway remembered of viewers is void then.
    package var viewerEpoch: UInt64

    package init(routes: [String: Route] = [:], viewerEpoch: UInt64 = 0) {
        self.routes = routes
        self.viewerEpoch = viewerEpoch
    }
}

/// What the gateway is told and asked by the releases. Implemented by Gateway.
package protocol TrafficDirector: Sendable {
    /// Replaces the routes; returns when every event loop uses the new ones for requests that begin from now on.
    func publish(_ snapshot: RouteSnapshot) async
    /// Returns when no request is open to any of the endpoints any more, or at the deadline.
    /// - Parameter webSockets: whether those are waited for too.
    /// - Returns: how many were still open.
    @discardableResult
    func drain(_ endpoints: [Endpoint], deadline: Duration, webSockets: Bool) async -> Int
    /// Closes what WebSockets are open to the endpoints, telling the browser that the server goes away (RFC 6455 section 7.4.1).
    func cutWebSockets(_ endpoints: [Endpoint]) async
    /// What the releases of the app's canary and the live one answered since it began; empty without a canary.
    func comparison(of appID: AppID) async -> [ReleaseTraffic]
}

/// What the gateway may do for a request to an app, decided by Accounts and remembered by the gateway.
package enum ViewerDecision: Sendable {
    /// Let it through with these header fields added. `remember`: for how long the answer holds.
    case allow(ViewerHeaders, remember: Duration)
    /// Send browsers to the sign-in, answer 401 to others.
    case signIn
    /// Signed in, but not allowed to see this app.
    case forbidden(username: String)
}

/// The viewer as the app is told, rendered once and appended to each request.
package struct ViewerHeaders: Sendable, Hashable {
    /// Name and value, in order. Values are valid field values (RFC 9110 section 5.5).
    package var fields: [Field]
    /// A cookie pair to add to the request's `Cookie` field, such as `kcIdToken=…`; nil for none.
    package var cookie: String?
    /// True where the viewer may read the owner's version of error pages.
    package var seesDetails: Bool

    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(fields: [Field] = [], cookie: String? = nil, seesDetails: Bool = false) {
        self.fields = fields
        self.cookie = cookie
        self.seesDetails = seesDetails
    }

    /// Identity header names that are removed from what a client sent, whatever their case, signed in or not.
    /// A trailing "*" stands for any ending.
    package static let reserved = [
        "x-moor-*", "x-forwarded-user", "x-forwarded-email", "x-forwarded-preferred-username", "x-forwarded-groups",
        "x-forwarded-access-token", "plotly-user-data", "kid", "rstudio-connect-credentials", "x-sp-userid", "x-sp-usergroups",
        "x-auth-request-*", "remote-user",
    ]
    /// Cookie names that never pass from a client to an app.
    package static let reservedCookies: Set<String> = ["moor_app", "moor_state", "moor_session", "kcIdToken"]
}

/// Decides about viewers for the gateway. Implemented by Accounts.
package protocol ViewerAuthority: Sendable {
    /// - Parameter cookie: the value of the `moor_app` cookie on the app's host; nil where there is none.
    func decide(appID: AppID, cookie: String?) async -> ViewerDecision
}
