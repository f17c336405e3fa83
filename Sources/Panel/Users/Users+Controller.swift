import Hummingbird
import Models

extension PanelController {
    func addUsersRoutes(to router: Router<BasicRequestContext>) {
        router.get(
            "/users",
            use: signedIn { visit, principal in
                try Self.adminsOnly(principal)
                return try await usersPage(visit, principal)
            })
        router.post("/users", use: usersForm(addUser))
        router.post("/users/remove", use: usersForm(removeUser))
    }

    private static let notices = ["added": "The account was added.", "removed": "The account was removed."]

    private static func adminsOnly(_ principal: Principal) throws(MoorError) {
        guard principal.isAdmin else {
            throw MoorError(.forbidden, "Only admins look after accounts", hint: "Your own account is under your name, top right.")
        }
    }

    private func usersPage(_ visit: Visit, _ principal: Principal, problem: MoorError? = nil) async throws -> Response {
        var typed = UsersView.Typed()
        if problem != nil {
            typed = .init(username: visit.form.text("username"), name: visit.form.text("name"), email: visit.form.text("email"))
            let role = PlatformRole(rawValue: visit.form.text("role")) ?? .developer
            (typed.isDeveloper, typed.isViewer, typed.isAdmin) = (role == .developer, role == .viewer, role == .admin)
        }
        let view = UsersView(try await accounts.users(), oneself: principal.username, typed: typed)
        let notice = visit.query["done"].flatMap { Self.notices[$0] }
        return try page("users", view, frame("Accounts", visit, tab: .users, notice: notice, problem: problem), status: status(problem))
    }

    private func usersForm(_ handler: @escaping @Sendable (Visit, Principal) async throws -> Response) -> Handler {
        submitted { visit, principal in
            try Self.adminsOnly(principal)
            do {
                return try await handler(visit, principal)
            } catch {
                return try await usersPage(visit, principal, problem: .wrapping(error))
            }
        }
    }

    private func addUser(_ visit: Visit, _ principal: Principal) async throws -> Response {
        let user = try NewUser(visit.form)
        try await accounts.addUser(user.summary, password: user.password)
        return redirect("/users?done=added")
    }

    private func removeUser(_ visit: Visit, _ principal: Principal) async throws -> Response {
        let username = visit.form["username"] ?? ""
        guard username != principal.username else {
            throw MoorError(.conflict, "You cannot remove yourself", hint: "Another admin can.")
        }
        try await accounts.removeUser(username)
        return redirect("/users?done=removed")
    }
}
