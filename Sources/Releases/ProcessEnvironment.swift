import Models

/// The environment of every process (DESIGN: The app's contract).
struct ProcessEnvironment: Sendable {
    var configuration: ReleasesConfiguration
    var sealer: ConfigSealer

    /// The platform's variables, then the app's config, which wins except over `PORT`, `HOST` and `MOOR_…`.
    /// Where the JWKS is comes from the orchestrator, which knows the app's network.
    func variables(app: AppName, appID: AppID, number: Int, commitID: String, config: [String: String]) -> [String: String] {
        let url = configuration.appURL(app)
        let own = [
            "PORT": String(webPort),
            "HOST": "0.0.0.0",
            "MOOR_APP": app.rawValue,
            "MOOR_RELEASE": "v\(number)",
            "MOOR_COMMIT": commitID,
            "MOOR_URL": url,
            "MOOR_PANEL_URL": configuration.panelURL,
            // Output that waits in Python's buffer is missing from the log of a replica that dies.
            "PYTHONUNBUFFERED": "1",
            "DASH_LOGOUT_URL": "\(url)/_moor/sign-out",
            "DASH_DOMAIN_BASE": configuration.domain,
            "DASH_SECRET_KEY": sealer.appSecret(appID),
        ]
        return own.merging(config) { mine, theirs in theirs }.merging(own.filter { ConfigRules.isReserved($0.key) }) { $1 }
    }
}
