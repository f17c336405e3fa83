import Models

/// The page of one's own account.
struct AccountView {
    struct Token {
        var name: String
        var created: Moment
        var lastUsed: Moment?
        var expires: Moment?
    }

    var username: String
    var name: String
    var email: String
    var role: String
    var groups: String
    var tokens: [Token]
    var hasTokens: Bool
    /// Made a moment ago, and shown this once.
    var newToken: String?
    var gitURL: String

    init(_ user: UserSummary, tokens: [TokenSummary], newToken: String?, panelURL: String, now: Double) {
        username = user.username
        name = user.name
        email = user.email
        role = user.role.rawValue
        groups = user.groups.joined(separator: ", ")
        self.tokens = tokens.map { token in
            Token(
                name: token.name, created: Moment(token.createdAt, now: now), lastUsed: token.lastUsedAt.map { Moment($0, now: now) },
                expires: token.expiresAt.map { Moment($0, now: now) })
        }
        hasTokens = !tokens.isEmpty
        self.newToken = newToken
        gitURL = panelURL
    }
}
