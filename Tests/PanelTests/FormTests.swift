import Accounts
import Foundation
import HTTPTypes
import Models
import Testing

@testable import Panel

@Suite struct FormTests {
    private static let forms = [
        "/sign-out", "/apps/sales/rollback", "/apps/sales/scale", "/apps/sales/access", "/apps/sales/people", "/account/tokens",
        "/account/tokens/revoke", "/account/password", "/users", "/users/remove",
    ]

    @Test(arguments: forms)
    func `a form without its token changes nothing`(path: String) async throws {
        try await Site.run { site in
            let grace = try await site.addUser("grace", role: .admin)
            _ = try await site.makeApp("sales", owner: grace)
            var browser = Browser(site)
            _ = try await browser.signIn("grace")
            let good = Browser.token(in: try await browser.get("/account").text)
            let fields = [
                "access": "public", "username": "alan", "role": "viewer", "release": "1", "replicas-web": "2", "name": "x",
                "password": "a new password", "current": "correct horse",
            ]
            for token in [nil, "", String(good.reversed()), FormToken.make(for: "another session")] {
                var form = fields
                form["form-token"] = token
                #expect(try await browser.post(path, form).status == 403)
            }
            var form = fields
            form["form-token"] = good
            #expect(try await browser.post(path, form, origin: "http://evil.example").status == 403)
            #expect(try await browser.post(path, form, origin: "null").status == 403)
            browser.extra[.secFetchSite] = "same-site"
            #expect(try await browser.post(path, form).status == 403)
            browser.extra[.secFetchSite] = nil
            #expect(site.operations.recorded.isEmpty)
            #expect(try await site.accounts.users().count == 1)
            #expect(try await site.accounts.tokens(of: grace.userID).isEmpty)
            #expect(try await browser.get("/").status == 200)
        }
    }

    @Test func `a sign-in form from elsewhere signs nobody in`() async throws {
        try await Site.run { site in
            try await site.addUser("grace")
            var browser = Browser(site)
            let credentials = ["username": "grace", "password": "correct horse", "next": "/"]
            let blind = try await browser.post("/sign-in", credentials)
            #expect(blind.status == 403 && browser.cookie("moor_session") == nil)
            let token = Browser.token(in: try await browser.get("/sign-in").text)
            let foreign = try await browser.post(
                "/sign-in", credentials.merging(["form-token": token]) { $1 }, origin: "http://sales.localhost:8080")
            #expect(foreign.status == 403 && browser.cookie("moor_session") == nil)
            _ = try await browser.post("/sign-in", credentials.merging(["form-token": token]) { $1 }, origin: "http://localhost:8080")
            #expect(browser.cookie("moor_session") != nil)
        }
    }

    @Test func `wrong credentials keep the form and its user name; too many are told to wait`() async throws {
        try await Site.run { site in
            try await site.addUser("grace")
            var browser = Browser(site)
            func attempt() async throws -> Browser.Page {
                let token = Browser.token(in: try await browser.get("/sign-in?next=/account").text)
                return try await browser.post(
                    "/sign-in", ["username": "gr\"ace", "password": "guess", "next": "/account", "form-token": token])
            }
            let first = try await attempt()
            #expect(first.status == 401 && first.text.contains(#"value="gr&quot;ace""#) && first.text.contains(#"value="/account""#))
            for _ in 0..<4 { _ = try await attempt() }
            let limited = try await attempt()
            #expect(limited.status == 429 && limited.text.contains("Wait 5 seconds"))
        }
    }

    @Test func `only forms are read, and not without end`() async throws {
        try await Site.run { site in
            try await site.addUser("grace")
            var browser = Browser(site)
            _ = try await browser.signIn("grace")
            let long = try await browser.post("/account/tokens", ["name": String(repeating: "n", count: 70_000)])
            #expect(long.status == 400)
        }
    }

    @Test func `cookies are Secure under https alone`() async throws {
        try await Site.run { site in
            try await site.addUser("grace")
            var browser = Browser(site)
            browser.extra[.xForwardedProto] = "https"
            let page = try await browser.signIn("grace")
            #expect(page.headers[values: .setCookie].allSatisfy { $0.contains("; Secure") })
        }
    }

    @Test func `every answer forbids framing, sniffing and keeping`() async throws {
        try await Site.run { site in
            var browser = Browser(site)
            for path in ["/", "/sign-in", "/no/such/page", "/open"] {
                let headers = try await browser.get(path).headers
                #expect(headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
                #expect(headers[.contentSecurityPolicy]?.hasPrefix("default-src 'self'") == true)
                #expect(headers[.xContentTypeOptions] == "nosniff" && headers[.cacheControl] == "no-store")
            }
        }
    }

    @Test(arguments: [
        ("a=1&b=2", ["a": "1", "b": "2"]), ("a=x+y%2Bz", ["a": "x y+z"]), ("a=1&a=2", ["a": "1"]), ("a", ["a": ""]),
        ("%C3%A9=%e2%82%ac&=x", ["é": "€", "": "x"]), ("a=%zz%4", ["a": "%zz%4"]), ("", [:]),
    ])
    func `fields are read as forms write them`(query: String, expected: [String: String]) {
        #expect(FormFields(query: query).group("") == expected)
    }
}
