import GRDB
import HTTPTypes
import Hummingbird
import Models
import Store

/// The part of the sign-in that runs on an app's own host, which the gateway hands to the panel under `/_moor/`.
extension PanelController {
    private static let stateLifetime = 600

    func addAppHostRoutes(to router: Router<BasicRequestContext>) {
        router.get("/_moor/start", use: appHost(start))
        router.get("/_moor/callback", use: appHost(callback))
        router.get("/_moor/sign-out", use: appHost { visit, app in try signOutPage(visit, app) })
        router.post("/_moor/sign-out", use: appHost(signOut))
    }

    private func appHost(_ handler: @escaping @Sendable (Visit, AppName) async throws -> Response) -> Handler {
        anyone { visit in
            guard let app = configuration.appForHost(visit.host) else {
                throw MoorError(.notFound, "There is no app at this address", hint: "Check the address.")
            }
            var response = try await handler(visit, app)
            if response.headers[.referrerPolicy] == nil { response.headers[.referrerPolicy] = "no-referrer" }
            return response
        }
    }

    /// Remembers in the browser that it was this one that asked, and sends it to the panel.
    private func start(_ visit: Visit, _ app: AppName) -> Response {
        // Kept where there is one, so that two tabs that start side by side both arrive.
        let state = visit.cookie("moor_state").flatMap { FormToken.isRandom($0) ? $0 : nil } ?? FormToken.random()
        let to = LocalPath.accept(visit.query["to"]) ?? "/"
        var response = redirect(
            "\(configuration.panelURL)/open?app=\(app.rawValue)&to=\(FormFields.encode(to))&state=\(state)", status: .found)
        response.setCookie(cookie("moor_state", state, path: "/_moor/", maxAge: Self.stateLifetime, visit: visit))
        return response
    }

    /// Changes the code for this host's own session.
    private func callback(_ visit: Visit, _ app: AppName) async throws -> Response {
        let to = LocalPath.accept(visit.query["to"]) ?? "/"
        do {
            guard let state = visit.query["state"], let expected = visit.cookie("moor_state"), FormToken.isRandom(expected),
                FormToken.equal(state, expected)
            else {
                throw MoorError(.invalid, "This sign-in did not start in this browser", hint: "Try again. Your browser must allow cookies.")
            }
            guard let appID = try await store.read({ try AppRecord.named(app, $0)?.id }) else {
                throw MoorError(.notFound, "There is no app at this address", hint: "Check the address.")
            }
            let session = try await accounts.redeemCode(visit.query["code"] ?? "", appID: appID, state: state)
            var response = redirect(to)
            // No Max-Age: it goes with the browser, and the store ends it after its lifetime in any case.
            response.setCookie(cookie("moor_app", session, maxAge: nil, visit: visit))
            return response
        } catch let error as MoorError where error.code == .unauthenticated || error.code == .invalid {
            // A page and not a redirect: whatever is wrong with this browser must not send it round in circles.
            let link = (url: "/_moor/start?to=\(FormFields.encode(to))", text: "Try again")
            let view = ErrorView(MoorError(.invalid, error.message, hint: error.hint), isSignedIn: false, link: link)
            return try page("error", view, frame("Sign-in did not work", visit), status: .badRequest)
        }
    }

    private func signOutPage(_ visit: Visit, _ app: AppName) throws(MoorError) -> Response {
        var response = try page("app-sign-out", ["app": app.rawValue], frame("Sign out of \(app)", visit))
        response.headers[.referrerPolicy] = "same-origin"
        return response
    }

    private func signOut(_ visit: Visit, _ app: AppName) async throws -> Response {
        // There is no form token here: the app's own pages share this origin and may sign their viewer out.
        guard visit.isSameOrigin(required: true) else {
            throw MoorError(.forbidden, "Another site asked to sign you out", hint: "Nothing was changed.")
        }
        if let session = visit.cookie("moor_app") { try await accounts.signOut(session: session) }
        var response = redirect("\(configuration.panelURL)/sign-in?out")
        response.setCookie(cookie("moor_app", "", maxAge: 0, visit: visit))
        return response
    }
}
