import HTTPTypes
import Hummingbird
import Logging
import Models
import NIOCore

extension PanelController {
    typealias Handler = @Sendable (Request, BasicRequestContext) async throws -> Response

    /// A route for whoever comes. Every error becomes a page.
    func anyone(_ handler: @escaping @Sendable (Visit) async throws -> Response) -> Handler {
        { request, context in
            var visit: Visit?
            do {
                let made = try await self.visit(request, context)
                visit = made
                return secured(try await handler(made))
            } catch {
                return secured(errorPage(.wrapping(error), visit: visit))
            }
        }
    }

    /// A route for signed-in users; others are sent to the sign-in and come back.
    func signedIn(_ handler: @escaping @Sendable (Visit, Principal) async throws -> Response) -> Handler {
        anyone { visit in
            guard let principal = visit.principal else { return signInFirst(visit) }
            return try await handler(visit, principal)
        }
    }

    /// A form of signed-in users, with its token checked.
    func submitted(_ handler: @escaping @Sendable (Visit, Principal) async throws -> Response) -> Handler {
        signedIn { visit, principal in
            try checkForm(visit, secret: visit.cookie)
            return try await handler(visit, principal)
        }
    }

    /// - Throws: `forbidden` where the form was not one of ours.
    func checkForm(_ visit: Visit, secret: String?) throws(MoorError) {
        guard visit.isSameOrigin(required: false), let secret, FormToken.isValid(visit.form["form-token"], for: secret) else {
            throw MoorError(.forbidden, "This form is out of date", hint: "Go back, reload the page and send the form again.")
        }
    }

    func redirect(_ location: String, status: HTTPResponse.Status = .seeOther) -> Response {
        Response(status: status, headers: [.location: location])
    }

    func signInFirst(_ visit: Visit) -> Response {
        let next = visit.request.method == .get ? visit.target : "/"
        return redirect(next == "/" ? "/sign-in" : "/sign-in?next=\(FormFields.encode(next))")
    }

    private func visit(_ request: Request, _ context: BasicRequestContext) async throws -> Visit {
        var form = FormFields(query: nil)
        if request.method == .post {
            guard request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") ?? false else {
                throw MoorError(.invalid, "The panel takes forms only", hint: "The command line and the API are for programs.")
            }
            guard let body = try? await request.body.collect(upTo: 65_536) else {
                throw MoorError(.invalid, "The form is too long", hint: "Send less.")
            }
            form = FormFields(query: String(buffer: body))
        }
        // A host beside ours may have set a cookie of the same name for the whole domain; only a live session counts.
        var session: (cookie: String, principal: Principal)?
        for cookie in sessionCookies(request).prefix(4) where session == nil {
            if let principal = try await accounts.principal(session: cookie) { session = (cookie, principal) }
        }
        return Visit(
            request: request, parameters: context.parameters, query: FormFields(query: request.uri.query), form: form,
            cookie: session?.cookie, principal: session?.principal,
            isSecure: configuration.secureCookies || request.headers[.xForwardedProto] == "https")
    }

    private func sessionCookies(_ request: Request) -> [String] {
        request.headers[values: .cookie].flatMap { $0.split(separator: ";") }.compactMap { pair in
            let pair = pair.drop { $0 == " " }
            return pair.hasPrefix("moor_session=") ? String(pair.dropFirst("moor_session=".count)) : nil
        }.filter(FormToken.isRandom)
    }

    /// What every answer of the panel says to browsers, unless the page said otherwise.
    private func secured(_ response: Response) -> Response {
        var response = response
        func setDefault(_ name: HTTPField.Name, _ value: String) {
            if response.headers[name] == nil { response.headers[name] = value }
        }
        setDefault(.cacheControl, "no-store")
        // `form-action` is left out: browsers apply it to the redirects after a form too, and a sign-in ends on an app's host.
        setDefault(.contentSecurityPolicy, "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'")
        setDefault(.xContentTypeOptions, "nosniff")
        // Not `no-referrer`: with that, browsers send forms with `Origin: null`.
        setDefault(.referrerPolicy, "same-origin")
        setDefault(.crossOriginOpenerPolicy, "same-origin")
        return response
    }
}
