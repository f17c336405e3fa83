import Accounts
import Foundation
import GRDB
import HTTPTypes
import Models
import Store
import Testing

@testable import Panel

@Suite struct SignInFlowTests {
    private let app = "http://sales.localhost:8080"

    @Test func `a viewer comes back to the exact page asked for, signed in at the app`() async throws {
        try await Site.run { site in
            let record = try await site.makeApp("sales", owner: try await site.addUser("grace"))
            try await site.addUser("alan", role: .viewer)
            var browser = Browser(site)
            let to = "/reports/q3?region=north%20sea&x=1"

            let start = try await browser.get("\(app)/_moor/start?to=\(Browser.encode(to))")
            #expect(start.status == 302)
            #expect(start.headers[.cacheControl] == "no-store")
            let state = try #require(browser.cookie("moor_state", at: "sales.localhost:8080"))
            #expect(
                Browser.parts(start.headers[.setCookie]) == [
                    "moor_state=\(state)", "Max-Age=600", "Path=/_moor/", "HttpOnly", "SameSite=Lax",
                ])
            #expect(start.location == "http://localhost:8080/open?app=sales&to=\(FormFields.encode(to))&state=\(state)")

            let open = try await browser.get(start.location!)
            #expect(open.status == 303)
            let next = try #require(FormFields(query: open.location.map { String($0.drop { $0 != "?" }.dropFirst()) })["next"])
            #expect(next == start.location!.dropFirst("http://localhost:8080".count))

            let page = try await browser.get(open.location!)
            #expect(page.status == 200 && page.text.contains("Sign in to <span class=\"name\">sales</span>"))
            let signedIn = try await browser.post(
                "/sign-in",
                ["username": "alan", "password": "correct horse", "next": next, "form-token": Browser.token(in: page.text)])
            #expect(signedIn.status == 303 && signedIn.location == next)
            let session = try #require(browser.cookie("moor_session"))
            #expect(
                Browser.parts(signedIn.headers[values: .setCookie][0]) == [
                    "moor_session=\(session)", "Max-Age=604800", "Path=/", "HttpOnly", "SameSite=Lax",
                ])

            let coded = try await browser.get(signedIn.location!)
            #expect(coded.status == 302)
            #expect(coded.headers[.referrerPolicy] == "no-referrer" && coded.headers[.cacheControl] == "no-store")
            #expect(coded.location?.hasPrefix("\(app)/_moor/callback?code=") == true)

            let arrived = try await browser.get(coded.location!)
            #expect(arrived.status == 303 && arrived.location == to)
            let cookie = try #require(browser.cookie("moor_app", at: "sales.localhost:8080"))
            #expect(Browser.parts(arrived.headers[.setCookie]) == ["moor_app=\(cookie)", "Path=/", "HttpOnly", "SameSite=Lax"])
            guard case .allow(let headers, _) = await site.accounts.decide(appID: record.id!, cookie: cookie) else {
                Issue.record("the cookie of the app's host does not open the app")
                return
            }
            #expect(headers.fields.contains { $0.name == "X-Forwarded-User" && $0.value == "alan" })

            // The same link again: a page with a way on, and no redirect that could loop.
            let again = try await browser.get(coded.location!)
            #expect(again.status == 400 && again.location == nil)
            #expect(again.text.contains("/_moor/start?to=%2Freports%2Fq3%3Fregion"))
        }
    }

    @Test func `a second tab keeps the state of the first`() async throws {
        try await Site.run { site in
            _ = try await site.makeApp("sales", owner: try await site.addUser("grace"))
            var browser = Browser(site)
            let first = try await browser.get("\(app)/_moor/start?to=/a")
            let second = try await browser.get("\(app)/_moor/start?to=/b")
            func state(_ location: String?) -> String? { location?.split(separator: "=").last.map(String.init) }
            #expect(state(first.location) == state(second.location))
            browser.setCookie("moor_state", "chosen-by-somebody-else", at: "sales.localhost:8080")
            #expect(state(try await browser.get("\(app)/_moor/start?to=/b").location) != "chosen-by-somebody-else")
        }
    }

    @Test func `a code is worth nothing in another browser`() async throws {
        try await Site.run { site in
            _ = try await site.makeApp("sales", owner: try await site.addUser("grace"))
            var mine = Browser(site)
            _ = try await mine.signIn("grace")
            let open = try await mine.get("\(app)/_moor/start?to=/").location!
            let link = try await mine.get(open).location!
            var other = Browser(site)
            let stolen = try await other.get(link)
            #expect(stolen.status == 400 && other.cookie("moor_app", at: "sales.localhost:8080") == nil)
            _ = try await other.get("\(app)/_moor/start?to=/")
            #expect(try await other.get(link).status == 400)
        }
    }

    @Test func `whoever may not see the app is told whom to ask`() async throws {
        try await Site.run { site in
            _ = try await site.makeApp("sales", owner: try await site.addUser("grace"), access: .named)
            try await site.addUser("alan", role: .viewer)
            var browser = Browser(site)
            _ = try await browser.signIn("alan")
            let open = try await browser.get("\(app)/_moor/start?to=/").location!
            let page = try await browser.get(open)
            #expect(page.status == 403 && page.text.contains("Ask its owner, grace"))
        }
    }

    @Test(arguments: [
        ("/", true), ("/a/b?c=d#e", true), ("//evil.example", false), ("/\\evil.example", false), ("https://evil.example", false),
        ("evil.example", false), ("/a\\b", false), ("/a\r\nSet-Cookie: x=y", false), ("/\t/evil.example", false),
        ("/%2F/evil.example", true),
        ("javascript:alert(1)", false), ("", false), ("/é", false), ("/ /evil.example", false),
    ])
    func `nobody is sent to another host`(path: String, isLocal: Bool) async throws {
        #expect((LocalPath.accept(path) != nil) == isLocal)
        try await Site.run { site in
            _ = try await site.makeApp("sales", owner: try await site.addUser("grace"))
            var browser = Browser(site)
            let expected = isLocal ? path : "/"
            #expect(try await browser.signIn("grace", next: path).location == expected)
            let open = try await browser.get("\(app)/_moor/start?to=\(Browser.encode(path))").location!
            let callback = try await browser.get(open).location!
            let changed = callback.replacing(/to=[^&]*/, with: "to=\(Browser.encode(path))")
            #expect(try await browser.get(changed).location == expected)
        }
    }

    @Test func `an unknown app, an unknown host and a broken link are pages`() async throws {
        try await Site.run { site in
            try await site.addUser("grace")
            var browser = Browser(site)
            #expect(try await browser.get("/open?app=nope&to=/&state=\(String(repeating: "s", count: 43))").status == 404)
            #expect(try await browser.get("/open?app=nope&to=/").status == 400)
            #expect(try await browser.get("http://localhost:8080/_moor/start?to=/").status == 404)
            let missing = try await browser.get("/no/such/page")
            #expect(missing.status == 404 && missing.text.contains("Nothing is moored here"))
            let text = try await browser.get("\(app)/_moor/callback?code=x&to=/&state=y").text
            #expect(text.contains("/_moor/static/panel.css"))
        }
    }

    @Test func `signing out at the app asks first, and only its own pages can do it`() async throws {
        try await Site.run { site in
            _ = try await site.makeApp("sales", owner: try await site.addUser("grace"))
            var browser = Browser(site)
            _ = try await browser.signIn("grace")
            let open = try await browser.get("\(app)/_moor/start?to=/").location!
            _ = try await browser.get(try await browser.get(open).location!)
            #expect(try await browser.get("\(app)/_moor/sign-out").status == 200)
            #expect(browser.cookie("moor_app", at: "sales.localhost:8080") != nil)
            #expect(try await browser.post("\(app)/_moor/sign-out", [:]).status == 403)
            #expect(try await browser.post("\(app)/_moor/sign-out", [:], origin: "http://other.localhost:8080").status == 403)
            let out = try await browser.post("\(app)/_moor/sign-out", [:], origin: app)
            #expect(out.status == 303 && out.location == "http://localhost:8080/sign-in?out")
            #expect(browser.cookie("moor_app", at: "sales.localhost:8080") == nil)
            #expect(try await browser.get("/").location == "/sign-in")
        }
    }
}
