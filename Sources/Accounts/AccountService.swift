import Foundation
package import Logging
package import Models
package import Store

/// Users, passwords, tokens, sessions, and the viewer's signed identity.
///
/// What must survive is in the store; this actor holds what may be forgotten: the sign-in limits and the credentials
/// that were verified a moment ago.
package actor AccountService {
    nonisolated let store: DataStore
    nonisolated let configuration: AccountsConfiguration
    nonisolated let viewersChanged: @Sendable () async -> Void
    nonisolated let logger: Logger
    /// Seconds since 1970.
    nonisolated let clock: @Sendable () -> Double
    nonisolated let signingKey: SigningKey
    nonisolated let hasher: PasswordHasher
    var limiter: SignInLimiter
    var verified = CredentialCache()

    /// Reads the signing key, or makes one at the first start.
    /// - Parameters:
    ///   - viewersChanged: called after each change that voids what the gateway remembers of viewers.
    ///   - clock: seconds since 1970.
    /// - Throws: `unavailable` where the key's folder cannot be used.
    package init(
        store: DataStore, configuration: AccountsConfiguration, viewersChanged: @escaping @Sendable () async -> Void, logger: Logger,
        clock: @escaping @Sendable () -> Double = { now() }
    ) async throws(MoorError) {
        self.store = store
        self.configuration = configuration
        self.viewersChanged = viewersChanged
        self.logger = logger
        self.clock = clock
        signingKey = try await SigningKey.load(folder: configuration.keyFolder)
        hasher = PasswordHasher(cost: configuration.passwordCost)
        limiter = SignInLimiter(limits: configuration.signInLimits)
    }
}
