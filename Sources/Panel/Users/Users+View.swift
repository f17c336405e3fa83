import Models

/// The page on which admins look after accounts.
struct UsersView {
    struct User {
        var username: String
        var name: String
        var email: String
        var role: String
        var groups: String
        var isOneself: Bool
    }

    var users: [User]
    var count: Int
    /// What was typed, after a refusal.
    var typed: Typed

    struct Typed {
        var username = ""
        var name = ""
        var email = ""
        var isDeveloper = true
        var isViewer = false
        var isAdmin = false
    }

    init(_ users: [UserSummary], oneself: String, typed: Typed) {
        self.users = users.map {
            User(
                username: $0.username, name: $0.name, email: $0.email, role: $0.role.rawValue, groups: $0.groups.joined(separator: ", "),
                isOneself: $0.username == oneself)
        }
        count = users.count
        self.typed = typed
    }
}
