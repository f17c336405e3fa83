/// What people can do to apps, offered by Platform to the API and the panel. Permission has been checked by the caller
/// with `AppPolicy` against the store; these do the work.
package protocol AppOperations: RolloutOperations {
    /// - Throws: `invalid` for a bad name, `conflict` where it exists.
    func createApp(named name: String, owner: Principal) async throws(MoorError) -> AppID
    /// Removes the app with everything of it: replicas, images, repository, rows.
    func deleteApp(_ appID: AppID) async throws(MoorError)
    /// Process name to replica count; returns when the new replicas are ready and the surplus has drained.
    func scale(_ appID: AppID, to counts: [String: Int], by principal: Principal) async throws(MoorError)
    /// Changes what each replica of a process is given; a new release of the same image is rolled out with it.
    /// - Parameters:
    ///   - wish: what it says nothing of stays.
    ///   - reset: forgets first what was set before, so that the app's own files count.
    /// - Returns: the new release's number; nil where it is so already.
    func setResources(_ appID: AppID, process: String, to wish: ResourceWish, reset: Bool, by principal: Principal, log: DeployLog)
        async throws(MoorError) -> Int?
    /// Makes an earlier release's image, config and processes a new release; nil: the one before the live one.
    /// - Returns: the new release's number.
    func rollback(_ appID: AppID, to number: Int?, by principal: Principal, log: DeployLog) async throws(MoorError) -> Int
    /// Changes config; where the app has a release, makes a new one and rolls it out.
    /// - Returns: the new release's number; nil where the app has never been released.
    func setConfig(_ appID: AppID, set: [String: String], unset: [String], by principal: Principal, log: DeployLog)
        async throws(MoorError) -> Int?
    /// Config names and values.
    func config(_ appID: AppID) async throws(MoorError) -> [String: String]
    func setAccess(_ appID: AppID, mode: AccessMode) async throws(MoorError)
    /// nil removes the user from the app.
    func setCollaborator(_ appID: AppID, username: String, role: AppRole?) async throws(MoorError)
    func replicas(_ appID: AppID) async -> [ReplicaStatus]
    func logs(_ appID: AppID, process: String?, tail: Int, follow: Bool) async throws(MoorError) -> AsyncThrowingStream<LogLine, any Error>
    /// The lines of a build, as far as they are written.
    func buildLog(_ buildID: BuildID) async throws(MoorError) -> String
    /// The URL of an app.
    func url(of name: AppName) -> String
}

/// A user as the API and panel show one.
package struct UserSummary: Sendable, Hashable, Codable {
    package var username: String
    package var name: String
    package var email: String
    package var role: PlatformRole
    package var groups: [String]

    package init(username: String, name: String, email: String, role: PlatformRole, groups: [String]) {
        self.username = username
        self.name = name
        self.email = email
        self.role = role
        self.groups = groups
    }
}

/// A token as it is listed; the secret itself is shown once, when it is made.
package struct TokenSummary: Sendable, Hashable, Codable {
    package var name: String
    /// Seconds since 1970.
    package var createdAt: Double
    package var lastUsedAt: Double?
    package var expiresAt: Double?

    package init(name: String, createdAt: Double, lastUsedAt: Double?, expiresAt: Double?) {
        self.name = name
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
    }
}

/// What admins do to accounts and people to their own, offered by Accounts to the API and the panel.
package protocol AccountOperations: Sendable {
    func users() async throws(MoorError) -> [UserSummary]
    /// - Throws: `invalid` for a bad user name or a password under 10 characters; `conflict` where the name is taken.
    func addUser(_ user: UserSummary, password: String) async throws(MoorError)
    /// Revokes every session and token of the user too. The last admin cannot be removed, nor the owner of apps.
    func removeUser(_ username: String) async throws(MoorError)
    func setPassword(_ username: String, password: String) async throws(MoorError)
    func tokens(of userID: UserID) async throws(MoorError) -> [TokenSummary]
    /// - Parameter expiresInDays: nil for never.
    /// - Returns: the token, shown this once.
    func createToken(for userID: UserID, name: String, expiresInDays: Int?) async throws(MoorError) -> String
    func revokeToken(of userID: UserID, name: String) async throws(MoorError)

    /// Signs in at the panel. - Returns: the session cookie's value.
    func signIn(username: String, password: String, address: String) async throws(MoorError) -> String
    func signOut(session cookie: String) async throws(MoorError)
    /// A one-time code that takes a signed-in viewer from the panel to an app's host; lives 60 seconds, works once and
    /// only together with `state`, which the app's host gave the same browser as a cookie.
    /// - Throws: `forbidden` where the viewer may not see the app.
    func issueCode(session cookie: String, appID: AppID, state: String) async throws(MoorError) -> String
    /// - Returns: the value for the app host's `moor_app` cookie.
    func redeemCode(_ code: String, appID: AppID, state: String) async throws(MoorError) -> String
    /// The JWKS document (RFC 7517) of the keys that sign viewers' identities.
    func jwks() async -> String
}
