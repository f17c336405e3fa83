import HTTPTypes
import Hummingbird
import Models

extension PanelController {
    func addSignInRoutes(to router: Router<BasicRequestContext>) {
        router.get(
            "/sign-in",
            use: anyone { visit in
                let next = LocalPath.accept(visit.query["next"]) ?? "/"
                guard visit.principal == nil else { return redirect(next) }
                return try signInPage(SignInView(next: next, signedOut: visit.query["out"] != nil), visit)
            })
        router.post("/sign-in", use: anyone(signIn))
        router.post(
            "/sign-out",
            use: submitted { visit, _ in
                try await accounts.signOut(session: visit.cookie ?? "")
                var response = redirect("/sign-in?out")
                response.setCookie(cookie("moor_session", "", maxAge: 0, visit: visit))
                return response
            })
    }

    private func signIn(_ visit: Visit) async throws -> Response {
        let username = visit.form.text("username")
        let view = SignInView(username: username, next: LocalPath.accept(visit.form["next"]) ?? "/")
        let session: String
        do {
            do {
                try checkForm(visit, secret: visit.cookie("moor_form"))
            } catch {
                throw MoorError(
                    .forbidden, "The sign-in page was open for too long", hint: "Please try once more; your browser must allow cookies.")
            }
            session = try await accounts.signIn(
                username: username, password: visit.form["password"] ?? "", address: visit.address)
        } catch let error as MoorError where [.unauthenticated, .rateLimited, .forbidden, .unavailable].contains(error.code) {
            var problem = error
            // What Accounts hints at is about git too, which is not what somebody at this page is doing.
            if error.code == .unauthenticated { problem.hint = "Check both and try again." }
            return try signInPage(view, visit, problem: problem)
        }
        var response = redirect(view.next)
        response.setCookie(cookie("moor_session", session, maxAge: 7 * 86_400, visit: visit))
        response.setCookie(cookie("moor_form", "", path: "/sign-in", maxAge: 0, visit: visit))
        return response
    }

    /// There is no session yet to bind the form to, so the page brings a cookie of its own (double submit).
    private func signInPage(_ view: SignInView, _ visit: Visit, problem: MoorError? = nil) throws(MoorError) -> Response {
        let secret = visit.cookie("moor_form").flatMap { FormToken.isRandom($0) ? $0 : nil } ?? FormToken.random()
        var frame = frame(view.app.map { "Sign in to \($0)" } ?? "Sign in", nil, problem: problem)
        frame.formToken = FormToken.make(for: secret)
        var response = try page("sign-in", view, frame, status: status(problem))
        response.setCookie(cookie("moor_form", secret, path: "/sign-in", maxAge: 3_600, visit: visit))
        if let seconds = problem?.retryAfterSeconds { response.headers[.retryAfter] = String(seconds) }
        return response
    }
}
