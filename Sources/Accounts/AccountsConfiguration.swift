/// What Accounts is set up with; durations are wall time.
package struct AccountsConfiguration: Sendable {
    /// A folder of its own (mode 0700) for the key that signs viewers' identities (mode 0600).
    package var keyFolder: String
    /// The panel's URL: `iss` of every viewer token (RFC 7519 section 4.1.1).
    package var issuer: String
    /// The audience that `dash-enterprise-auth` asks for (`DASH_AUD`).
    package var dashAudience: String
    package var sessionLifetime: Duration
    package var appSessionLifetime: Duration
    /// From the moment a request was let through.
    package var viewerTokenLifetime: Duration
    package var passwordCost: PasswordCost
    package var signInLimits: SignInLimiter.Limits

    package init(
        keyFolder: String, issuer: String, dashAudience: String = "dash", sessionLifetime: Duration = .seconds(7 * 86_400),
        appSessionLifetime: Duration = .seconds(12 * 3_600), viewerTokenLifetime: Duration = .seconds(600),
        passwordCost: PasswordCost = .standard, signInLimits: SignInLimiter.Limits = .init()
    ) {
        self.keyFolder = keyFolder
        self.issuer = issuer
        self.dashAudience = dashAudience
        self.sessionLifetime = sessionLifetime
        self.appSessionLifetime = appSessionLifetime
        self.viewerTokenLifetime = viewerTokenLifetime
        self.passwordCost = passwordCost
        self.signInLimits = signInLimits
    }
}

extension Duration {
    /// As the store's columns count.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
