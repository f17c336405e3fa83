import GRDB
import Models
import Store
import Testing

@testable import Accounts

@Suite struct UserTests {
    @Test func `the first start makes an admin with a random password, later ones do nothing`() async throws {
        try await Harness.run { harness in
            let password = try #require(try await harness.service.ensureAdmin(password: nil))
            #expect(password.count >= 20)
            let admin = try await harness.service.principal(username: "admin", password: password, address: "127.0.0.1")
            #expect(admin.isAdmin)
            #expect(try await harness.service.ensureAdmin(password: nil) == nil)
            #expect(try await harness.service.users().count == 1)
        }
    }

    @Test func `a given first password is taken and not returned`() async throws {
        try await Harness.run { harness in
            #expect(await errorCode { try await harness.service.ensureAdmin(password: "short") } == .invalid)
            #expect(try await harness.service.ensureAdmin(password: "correct horse") == nil)
            _ = try await harness.service.principal(username: "admin", password: "correct horse", address: "127.0.0.1")
        }
    }

    @Test(arguments: ["", "with space", "ünicode", "a/b", "a\nb", "-dash", ".dot", "semi;colon", String(repeating: "a", count: 65)])
    func `a bad user name is refused`(name: String) async throws {
        try await Harness.run { harness in
            let refused = await errorCode {
                try await harness.service.addUser(
                    UserSummary(username: name, name: "", email: "", role: .viewer, groups: []), password: "correct horse")
            }
            #expect(refused == .invalid)
        }
    }

    @Test(arguments: ["ada", "ada.l-2_x@example.com", "7of9"])
    func `letters, digits and a few marks make a user name`(name: String) async throws {
        try await Harness.run { harness in
            try await harness.addUser(name)
            #expect(try await harness.service.users().map(\.username) == [name])
        }
    }

    @Test func `user names differ by more than case`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("grace")
            #expect(await errorCode { try await harness.addUser("GRACE") } == .conflict)
        }
    }

    @Test func `groups are listed with their members`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("grace", groups: ["research", "ops"])
            try await harness.addUser("alan", groups: ["research"])
            let users = try await harness.service.users()
            #expect(users.map(\.groups) == [["research"], ["ops", "research"]])
        }
    }

    @Test func `removing a user ends sessions and tokens and voids what is remembered`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("root", role: .admin)
            let grace = try await harness.addUser("grace")
            let cookie = try await harness.signIn("grace")
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            try await harness.service.removeUser("grace")
            #expect(harness.voidings.count == 1)
            #expect(try await harness.service.principal(session: cookie) == nil)
            #expect(await errorCode { try await harness.service.principal(bearer: token, address: "127.0.0.1") } == .unauthenticated)
            let password = await errorCode {
                try await harness.service.principal(username: "grace", password: "correct horse", address: "127.0.0.1")
            }
            #expect(password == .unauthenticated)
        }
    }

    @Test func `the last admin and owners of apps stay`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("root", role: .admin)
            let grace = try await harness.addUser("grace")
            _ = try await harness.makeApp("sales", owner: grace)
            #expect(await errorCode { try await harness.service.removeUser("root") } == .conflict)
            #expect(await errorCode { try await harness.service.removeUser("grace") } == .conflict)
            #expect(await errorCode { try await harness.service.removeUser("nobody") } == .notFound)
            try await harness.addUser("second", role: .admin)
            try await harness.service.removeUser("root")
        }
    }

    @Test func `a disabled user is nobody by every means`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let appID = try await harness.makeApp("sales", owner: grace)
            let session = try await harness.signIn("grace")
            let appCookie = try await harness.appCookie("grace", appID)
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            try await harness.store.write { try $0.execute(sql: "UPDATE users SET disabledAt = 1") }
            #expect(try await harness.service.principal(session: session) == nil)
            #expect(await errorCode { try await harness.service.principal(bearer: token, address: "127.0.0.1") } == .unauthenticated)
            #expect(await errorCode { try await harness.signIn("grace") } == .unauthenticated)
            guard case .signIn = await harness.service.decide(appID: appID, cookie: appCookie) else {
                Issue.record("a disabled user was let through")
                return
            }
        }
    }
}
