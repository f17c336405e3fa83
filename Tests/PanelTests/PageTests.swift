import Accounts
import Foundation
import GRDB
import HTTPTypes
import Models
import Store
import TestSupport
import Testing

@testable import Panel

@Suite struct PageTests {
    @Test func `the first page asks to sign in, then shows how to push`() async throws {
        try await Site.run { site in
            try await site.addUser("grace")
            var browser = Browser(site)
            let stranger = try await browser.get("/")
            #expect(stranger.status == 303 && stranger.location == "/sign-in")
            _ = try await browser.signIn("grace")
            let text = try await browser.get("/").text
            #expect(text.contains("git remote add moorage http://localhost:8080/git/<mark>my-app</mark>.git"))
        }
    }

    @Test func `the overview shows each as much as they may know`() async throws {
        try await Site.run { site in
            let grace = try await site.addUser("grace")
            try await site.addUser("alan", role: .viewer)
            _ = try await site.release("sales", owner: grace)
            _ = try await site.makeApp("secret", owner: grace, access: .named)
            var owner = Browser(site)
            var viewer = Browser(site)
            _ = try await owner.signIn("grace")
            _ = try await viewer.signIn("alan")
            let full = try await owner.get("/").text
            #expect(full.contains("href=\"/apps/sales\"") && full.contains("v1, 1 of 2 ready") && full.contains("Partly up"))
            #expect(full.contains("No release yet") && full.contains("<p class=\"quiet-text\">2</p>"))
            let limited = try await viewer.get("/").text
            #expect(limited.contains("http://sales.localhost:8080") && !limited.contains("secret") && !limited.contains("/apps/sales"))
            #expect(try await viewer.get("/apps/sales").status == 403)
            #expect(try await viewer.get("/apps/secret").status == 404)
            #expect(try await viewer.get("/users").status == 403)
        }
    }

    @Test func `an app's page shows its replicas, releases, pushes and config names`() async throws {
        try await Site.run { site in
            let app = try await site.release("sales", owner: try await site.addUser("grace"))
            try await site.store.write {
                try ConfigValueRecord(appID: app.id!, key: "API_KEY", sealedValue: Data("sealed".utf8), updatedAt: 0).insert($0)
            }
            var browser = Browser(site)
            _ = try await browser.signIn("grace")
            let text = try await browser.get("/apps/sales").text
            for expected in ["web.1", "API_KEY", "First &lt;dashboard&gt;", "git clone http://localhost:8080/git/sales.git"] {
                #expect(text.contains(expected), "\(expected)")
            }
            #expect(!text.contains("sealed\"") && !text.contains("<dashboard>"))
            let push = try await browser.get("/apps/sales/pushes/1")
            #expect(push.status == 200 && push.text.contains("&lt;b&gt;installing&lt;/b&gt;"))
            #expect(try await browser.get("/apps/sales/pushes/99").status == 404)
            #expect(try await browser.get("/apps/sales/pushes/x").status == 404)
        }
    }

    @Test func `an app's forms do what they say`() async throws {
        try await Site.run { site in
            _ = try await site.release("sales", owner: try await site.addUser("grace"))
            var browser = Browser(site)
            _ = try await browser.signIn("grace")
            let token = Browser.token(in: try await browser.get("/apps/sales").text)
            func send(_ form: String, _ fields: [String: String]) async throws -> Browser.Page {
                try await browser.post("/apps/sales/\(form)", fields.merging(["form-token": token]) { $1 })
            }
            #expect(try await send("access", ["access": "public"]).location == "/apps/sales?done=access")
            #expect(try await send("people", ["username": "alan", "role": "viewer"]).location == "/apps/sales?done=people")
            let unknown = try await send("people", ["username": "nobody", "role": "viewer"])
            #expect(unknown.status == 404 && unknown.text.contains("There is no user “nobody”"))
            #expect(try await send("scale", ["replicas-web": "101"]).status == 400)
            let scaled = try await send("scale", ["replicas-web": "3"])
            #expect(scaled.text.contains("web: 3") && scaled.text.contains("All replicas are as you asked."))
            let rolled = try await send("rollback", ["release": "2"])
            #expect(rolled.text.contains("v4: 1 of 1 &lt;replicas&gt; ready") && rolled.text.contains("v4 is live."))
            let failed = try await send("rollback", ["release": "1"])
            #expect(failed.text.contains("The image of v1 is gone") && failed.text.contains("Choose a later release"))
            #expect(
                site.operations.recorded == [
                    "access public", "alan viewer", "nobody viewer", "scale web=3 by grace", "rollback v2 by grace", "rollback v1 by grace",
                ])
        }
    }

    @Test func `a collaborator runs an app but does not govern it`() async throws {
        try await Site.run { site in
            let app = try await site.release("sales", owner: try await site.addUser("grace"))
            let alan = try await site.addUser("alan")
            try await site.store.write { try CollaboratorRecord(appID: app.id!, userID: alan.userID, role: .collaborator).insert($0) }
            var browser = Browser(site)
            _ = try await browser.signIn("alan")
            let page = try await browser.get("/apps/sales")
            #expect(page.text.contains("/apps/sales/scale") && !page.text.contains("/apps/sales/access"))
            let form = ["access": "public", "form-token": Browser.token(in: page.text)]
            #expect(try await browser.post("/apps/sales/access", form).status == 403)
            #expect(site.operations.recorded.isEmpty)
        }
    }

    @Test func `a token is shown once, works, and can be revoked`() async throws {
        try await Site.run { site in
            try await site.addUser("grace")
            var browser = Browser(site)
            _ = try await browser.signIn("grace")
            let form = Browser.token(in: try await browser.get("/account").text)
            let made = try await browser.post("/account/tokens", ["name": "laptop", "days": "90", "form-token": form])
            let token = String(try #require(made.text.firstMatch(of: /moor_[A-Za-z0-9_-]{43}/)).0)
            _ = try await site.accounts.principal(bearer: token, address: "192.0.2.1")
            #expect(try await !browser.get("/account").text.contains(token))
            let revoked = try await browser.post("/account/tokens/revoke", ["name": "laptop", "form-token": form])
            #expect(revoked.location == "/account?done=revoked")
            _ = await refused { try await site.accounts.principal(bearer: token, address: "192.0.2.1") }
        }
    }

    @Test func `a changed password keeps this browser and ends the others`() async throws {
        try await Site.run { site in
            try await site.addUser("grace")
            var here = Browser(site)
            var there = Browser(site)
            _ = try await here.signIn("grace")
            _ = try await there.signIn("grace")
            let form = Browser.token(in: try await here.get("/account").text)
            let wrong = try await here.post("/account/password", ["current": "guess", "password": "battery staple", "form-token": form])
            #expect(wrong.status == 400 && wrong.text.contains("The current password is wrong"))
            let right = try await here.post(
                "/account/password", ["current": "correct horse", "password": "battery staple", "form-token": form])
            #expect(right.location == "/account?done=password")
            #expect(try await here.get("/account").status == 200)
            #expect(try await there.get("/account").status == 303)
        }
    }

    @Test func `an admin adds and removes accounts`() async throws {
        try await Site.run { site in
            try await site.addUser("root", role: .admin)
            var browser = Browser(site)
            _ = try await browser.signIn("root")
            let form = Browser.token(in: try await browser.get("/users").text)
            var fields = ["username": "alan", "email": "alan@example.com", "role": "viewer", "password": "short", "form-token": form]
            let short = try await browser.post("/users", fields)
            #expect(short.status == 400 && short.text.contains("The password is too short") && short.text.contains("alan@example.com"))
            fields["password"] = "correct horse"
            #expect(try await browser.post("/users", fields).location == "/users?done=added")
            #expect(try await browser.get("/users").text.contains("alan@example.com"))
            #expect(try await browser.post("/users/remove", ["username": "alan", "form-token": form]).location == "/users?done=removed")
            #expect(try await browser.post("/users/remove", ["username": "root", "form-token": form]).status == 409)
        }
    }

    @Test func `static files are kept until they change`() async throws {
        try await Site.run { site in
            var browser = Browser(site)
            let text = try await browser.get("/sign-in").text
            let url = String(try #require(text.firstMatch(of: /\/static\/panel\.css\?v=[0-9a-f]+/)).0)
            let versioned = try await browser.get(url)
            #expect(versioned.headers[.contentType] == "text/css; charset=utf-8")
            #expect(versioned.headers[.cacheControl] == "public, max-age=31536000, immutable")
            let bare = try await browser.get("/static/panel.css?v=old")
            #expect(bare.headers[.cacheControl] == "public, no-cache" && bare.text == versioned.text)
            browser.extra[.ifNoneMatch] = versioned.headers[.eTag]
            let again = try await browser.get(url)
            #expect(again.status == 304 && again.text.isEmpty)
            #expect(try await browser.get("/static/..%2Ftemplates%2Flayout.mustache").status == 404)
        }
    }
}

extension Site {
    /// An app with one live release that wants two web replicas and has one.
    func release(_ name: String, owner: Principal) async throws -> AppRecord {
        let app = try await makeApp(name, owner: owner)
        let formation = [ProcessSpec(name: "web", command: "gunicorn app:server", replicas: 2)]
        let image = try await store.makeImage(for: app, formation: formation)
        let releaseID = try await store.write { db in
            try db.execute(sql: "UPDATE pushes SET subject = 'First <dashboard>', userID = ?", arguments: [owner.userID])
            var release = ReleaseRecord(
                appID: app.id!, number: 1, imageID: image.id!, sealedConfig: Data(), formation: formation, cause: .push,
                description: "First <dashboard>", userID: owner.userID, state: .live, createdAt: now(), liveAt: now())
            try release.insert(db)
            try db.execute(sql: "UPDATE apps SET liveReleaseID = ? WHERE id = ?", arguments: [release.id, app.id])
            return release.id!
        }
        operations.show([
            ReplicaStatus(
                replicaID: ReplicaID(1), appID: app.id!, releaseID: releaseID, releaseNumber: 1, process: "web", ordinal: 1, state: .ready,
                endpoint: nil, restarts: 0, startedAt: now()),
            ReplicaStatus(
                replicaID: ReplicaID(2), appID: app.id!, releaseID: releaseID, releaseNumber: 1, process: "web", ordinal: 2,
                state: .backingOff(exitCode: 137, reason: "killed", retryAfterSeconds: 4), endpoint: nil, restarts: 3, startedAt: nil),
        ])
        return app
    }
}
