import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Models
import NIOCore
import Store
import TestSupport
import Testing

struct RequestTests {
    @Test func `a failure is a problem document with a challenge where nobody is signed in`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let response = try await client.call(.get, "/apps")
                #expect(response.status == .unauthorized)
                #expect(response.headers[.contentType] == "application/problem+json")
                #expect(response.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                #expect(response.headers[.cacheControl] == "no-store")
                let problem = response.object
                #expect(problem["code"] as? String == "unauthenticated")
                #expect(problem["status"] as? Int == 401)
                #expect((problem["title"] as? String)?.isEmpty == false)
                #expect((problem["hint"] as? String)?.isEmpty == false)
            }
        }
    }

    @Test(arguments: [
        (#"{"name":"x","nmae":"y"}"#, "“nmae” is not known here"),
        (#"{}"#, "“name” is missing"),
        (#"{"name":3}"#, "“name” must be a string"),
        (#"[]"#, "the request's body must be an object"),
        (#"{"name":"#, "the request's body is not JSON"),
        (#"{"name":"Sales"}"#, "“Sales” cannot be an app's name"),
        (#"{"name":"admin"}"#, "the name “admin” is reserved for the platform"),
    ])
    func `a body that is not right is refused with what is wrong`(_ body: String, _ message: String) async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let response = try await client.call(.post, "/apps", as: .owner, body: body)
                #expect(response.status == .badRequest)
                #expect(response.object["title"] as? String == message)
            }
        }
    }

    @Test(arguments: [
        ("/scale", #"{}"#), ("/scale", #"{"web":-1}"#), ("/scale", #"{"web":101}"#), ("/scale", #"{"web":"3"}"#),
        ("/scale", #"{"web":1.5}"#),
        ("/rollback", #"{"release":0}"#), ("/rollback", #"{"release":"v3"}"#),
    ])
    func `a number out of its range is refused`(_ path: String, _ body: String) async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let answer1 = try await client.call(.post, "/apps/sales-owner" + path, as: .owner, body: body)
                #expect(answer1.status == .badRequest)
            }
        }
    }

    @Test(arguments: [
        #"{}"#, #"{"set":{"1A":"x"}}"#, #"{"set":{"A-B":"x"}}"#, #"{"set":{"A":"x"},"unset":["A"]}"#, #"{"set":{"A":1}}"#,
        #"{"unset":[""]}"#,
    ])
    func `a config change that makes no sense is refused before anything happens`(_ body: String) async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let answer1 = try await client.call(.patch, "/apps/sales-owner/config", as: .owner, body: body)
                #expect(answer1.status == .badRequest)
                let answer2 = try await client.call(.get, "/apps/sales-owner/config", as: .owner)
                #expect(answer2.text == #"{"build":[],"config":{}}"#)
            }
        }
    }

    @Test func `what is too large, of another type, or by another method has a status of its own`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let large = #"{"name":""# + String(repeating: "x", count: 1 << 20) + #""}"#
                let answer1 = try await client.call(.post, "/apps", as: .owner, body: large)
                #expect(answer1.status == .contentTooLarge)
                let form = try await client.call(.post, "/apps", as: .owner, body: "name=x", headers: [.contentType: "text/plain"])
                #expect(form.status == .unsupportedMediaType)
                let method = try await client.call(.put, "/apps", as: .owner, body: "{}")
                #expect(method.status == .methodNotAllowed)
                #expect(method.headers[.allow] == "GET, POST")
                let path = try await client.call(.get, "/nonsense/deep", as: .owner)
                #expect(path.status == .notFound)
                #expect(path.object["code"] as? String == "notFound")
            }
        }
    }

    @Test(arguments: ["?folow=true", "?follow=yes", "?tail=-1", "?tail=ten", "?tail=10001"])
    func `a query that is not understood is refused`(_ query: String) async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let answer1 = try await client.call(.get, "/apps/sales-owner/logs" + query, as: .owner)
                #expect(answer1.status == .badRequest)
            }
        }
    }

    @Test(arguments: [
        "Bearer token-owner-old", "bearer  token-owner-old", "Basic " + Data("owner:token-owner-old".utf8).base64EncodedString(),
    ])
    func `a token works as bearer and in the password's place`(_ authorization: String) async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let me = try await client.call(.get, "/me", headers: [.authorization: authorization])
                #expect(me.object["username"] as? String == "owner")
            }
        }
    }

    @Test(arguments: ["Bearer wrong", "Bearer", "Basic !", "Basic " + Data("nocolon".utf8).base64EncodedString(), "Negotiate x", ""])
    func `credentials that are wrong or not understood are refused`(_ authorization: String) async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let answer1 = try await client.call(.get, "/me", headers: [.authorization: authorization])
                #expect(answer1.status == .unauthorized)
            }
        }
    }

    @Test func `the panel's cookie is nothing here`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let answer1 = try await client.call(.get, "/me", headers: [.cookie: "moor_session=x"])
                #expect(answer1.status == .unauthorized)
            }
        }
    }

    @Test func `the limiter is told the address that the gateway saw`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let forwarded: HTTPFields = [HTTPField.Name("X-Forwarded-For")!: "6.6.6.6, 192.0.2.7"]
                _ = try await client.call(.get, "/me", as: .owner, headers: forwarded)
                let body = #"{"username":"owner","password":"wrong","client":"x"}"#
                let refused = try await client.call(.post, "/login", body: body, headers: forwarded)
                #expect(refused.status == .unauthorized)
                #expect(world.accounts.addresses == ["192.0.2.7", "192.0.2.7"])
            }
        }
    }

    @Test func `a second login from a machine of the same name keeps the first one's token`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let body = #"{"username":"owner","password":"password-of-owner","client":"pc"}"#
                let names = [
                    try await client.call(.post, "/login", body: body).object["name"] as? String,
                    try await client.call(.post, "/login", body: body).object["name"] as? String,
                ]
                #expect(names == ["pc", "pc 2"])
                let byToken = #"{"username":"owner","password":"token-owner-pc","client":"pc"}"#
                let answer1 = try await client.call(.post, "/login", body: byToken)
                #expect(answer1.status == .forbidden)
            }
        }
    }

    @Test func `a name in a path is decoded`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let answer1 = try await client.call(.post, "/tokens", as: .owner, body: #"{"name":"my pc/2"}"#)
                #expect(answer1.status == .created)
                let answer2 = try await client.call(.delete, "/tokens/my%20pc%2F2", as: .owner)
                #expect(answer2.status == .noContent)
            }
        }
    }

    @Test func `releases come in pages, the newest first, with times in UTC`() async throws {
        try await World.run { world in
            try await world.store.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO releases (appID, number, imageID, sealedConfig, formation, cause, description, state, createdAt)
                        SELECT appID, 2, imageID, sealedConfig, formation, 'config', 'second', 'failed', 0 FROM releases WHERE appID = 5
                        """)
            }
            try await world.application().test(.router) { client in
                let first = try await client.call(.get, "/apps/sales-owner/releases?limit=1", as: .owner)
                let releases = first.object["releases"] as? [[String: Any]]
                #expect(releases?.compactMap { $0["number"] as? Int } == [2])
                #expect(releases?.first?["createdAt"] as? String == "1970-01-01T00:00:00Z")
                let next = try await client.call(.get, "/apps/sales-owner/releases?limit=1&before=2", as: .owner)
                #expect((next.object["releases"] as? [[String: Any]])?.compactMap { $0["number"] as? Int } == [1])
            }
        }
    }
}
