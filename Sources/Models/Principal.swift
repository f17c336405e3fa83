/// What a user may do on the platform as a whole.
package enum PlatformRole: String, Codable, Sendable, CaseIterable {
    case admin, developer, viewer
}

/// What a user is to one app.
package enum AppRole: String, Codable, Sendable, CaseIterable, Comparable {
    case viewer, collaborator, owner

    package static func < (a: AppRole, b: AppRole) -> Bool {
        allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
    }
}

/// Who may look at an app.
package enum AccessMode: String, Codable, Sendable, CaseIterable {
    /// Anybody, signed in or not.
    case `public`
    /// Any signed-in user.
    case signedIn = "signed-in"
    /// The owner, collaborators and the users named as viewers.
    case named
}

/// An authenticated user as the stations see one: who, and by what means.
package struct Principal: Sendable, Hashable {
    package enum Means: Sendable, Hashable {
        case password
        case token(TokenID)
        case session(SessionID)
    }

    package var userID: UserID
    package var username: String
    package var role: PlatformRole
    package var means: Means

    package init(userID: UserID, username: String, role: PlatformRole, means: Means) {
        self.userID = userID
        self.username = username
        self.role = role
        self.means = means
    }

    package var isAdmin: Bool { role == .admin }
}

/// Turns credentials into a principal. Implemented by Accounts; used by git, the API and the panel.
package protocol Authenticator: Sendable {
    /// A user name with a password or, in the password's place, a token.
    /// - Parameter address: the client's address, for the sign-in limit.
    /// - Throws: `unauthenticated`, or `rateLimited` after too many wrong tries.
    func principal(username: String, password: String, address: String) async throws(MoorError) -> Principal
    /// A bearer token (RFC 6750).
    func principal(bearer token: String, address: String) async throws(MoorError) -> Principal
    /// The value of the panel's session cookie; nil where it names no live session.
    func principal(session cookie: String) async throws(MoorError) -> Principal?
}
