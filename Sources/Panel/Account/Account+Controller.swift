import Hummingbird
import Models
import Store

extension PanelController {
    func addAccountRoutes(to router: Router<BasicRequestContext>) {
        router.get("/account", use: signedIn { visit, principal in try await accountPage(visit, principal) })
        router.post("/account/tokens", use: accountForm(createToken))
        router.post("/account/tokens/revoke", use: accountForm(revokeToken))
        router.post("/account/password", use: accountForm(changePassword))
    }

    private static let notices = [
        "revoked": "The token was revoked.", "password": "Your password was changed. Everywhere else you are signed out.",
    ]

    private func accountPage(_ visit: Visit, _ principal: Principal, newToken: String? = nil, problem: MoorError? = nil) async throws
        -> Response
    {
        let user = try await store.read { try AccountModel.user(principal.userID, $0) }
        let view = AccountView(
            user, tokens: try await accounts.tokens(of: principal.userID), newToken: newToken, panelURL: configuration.panelURL, now: now())
        let notice = visit.query["done"].flatMap { Self.notices[$0] }
        return try page("account", view, frame("Account", visit, tab: .account, notice: notice, problem: problem), status: status(problem))
    }

    private func accountForm(_ handler: @escaping @Sendable (Visit, Principal) async throws -> Response) -> Handler {
        submitted { visit, principal in
            do {
                return try await handler(visit, principal)
            } catch {
                return try await accountPage(visit, principal, problem: .wrapping(error))
            }
        }
    }

    /// Answers with the page itself and not with a redirect: the token is nowhere but in this one answer.
    private func createToken(_ visit: Visit, _ principal: Principal) async throws -> Response {
        let token = try await accounts.createToken(
            for: principal.userID, name: visit.form.text("name"), expiresInDays: Int(visit.form.text("days")))
        return try await accountPage(visit, principal, newToken: token)
    }

    private func revokeToken(_ visit: Visit, _ principal: Principal) async throws -> Response {
        try await accounts.revokeToken(of: principal.userID, name: visit.form["name"] ?? "")
        return redirect("/account?done=revoked")
    }

    private func changePassword(_ visit: Visit, _ principal: Principal) async throws -> Response {
        let (current, password) = (visit.form["current"] ?? "", visit.form["password"] ?? "")
        do {
            let checked = try await accounts.principal(username: principal.username, password: current, address: visit.address)
            guard case .password = checked.means else { throw MoorError(.unauthenticated, "") }
        } catch let error as MoorError where error.code == .unauthenticated {
            throw MoorError(.invalid, "The current password is wrong", hint: "Nothing was changed.")
        }
        try await accounts.setPassword(principal.username, password: password)
        // Every session ended with the old password; this browser gets a new one.
        let session = try await accounts.signIn(username: principal.username, password: password, address: visit.address)
        var response = redirect("/account?done=password")
        response.setCookie(cookie("moor_session", session, maxAge: 7 * 86_400, visit: visit))
        return response
    }
}
