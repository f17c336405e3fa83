import Foundation
import GRDB
import Models
import Store
import Testing

@testable import Accounts

@Suite struct SessionTests {
    private let state = String(repeating: "s", count: 43)

    @Test func `a session lives its lifetime and no longer`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("grace")
            let cookie = try await harness.signIn("grace")
            harness.clock.advance(7 * 86_400 - 1)
            #expect(try await harness.service.principal(session: cookie)?.username == "grace")
            harness.clock.advance(1)
            #expect(try await harness.service.principal(session: cookie) == nil)
            try await harness.service.sweep()
            #expect(try await harness.store.read { try SessionRecord.fetchCount($0) } == 0)
        }
    }

    @Test func `a token cannot sign in at the panel`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let token = try await harness.service.createToken(for: grace.userID, name: "laptop", expiresInDays: nil)
            #expect(
                await errorCode { try await harness.service.signIn(username: "grace", password: token, address: "127.0.0.1") }
                    == .unauthenticated)
        }
    }

    @Test(arguments: [true, false])
    func `signing out ends the panel's session and every app's`(atApp: Bool) async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let appID = try await harness.makeApp("sales", owner: grace)
            let session = try await harness.signIn("grace")
            let code = try await harness.service.issueCode(session: session, appID: appID, state: state)
            let app = try await harness.service.redeemCode(code, appID: appID, state: state)
            try await harness.service.signOut(session: atApp ? app : session)
            #expect(harness.voidings.count == 1)
            #expect(try await harness.service.principal(session: session) == nil)
            #expect(try await harness.store.read { try SessionRecord.fetchCount($0) } == 0)
        }
    }

    @Test func `an app's cookie is no session of the panel, nor the other way round`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let appID = try await harness.makeApp("sales", owner: grace)
            let cookie = try await harness.appCookie("grace", appID)
            #expect(try await harness.service.principal(session: cookie) == nil)
            #expect(
                await errorCode { try await harness.service.issueCode(session: cookie, appID: appID, state: state) } == .unauthenticated)
            guard case .signIn = await harness.service.decide(appID: appID, cookie: try await harness.signIn("grace")) else {
                Issue.record("the panel's cookie worked on an app's host")
                return
            }
        }
    }

    @Test func `of many that redeem one code at once, one gets a session`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let appID = try await harness.makeApp("sales", owner: grace)
            let code = try await harness.service.issueCode(session: harness.signIn("grace"), appID: appID, state: state)
            let service = harness.service
            let successes = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 { group.addTask { (try? await service.redeemCode(code, appID: appID, state: state)) != nil } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(successes == 1)
        }
    }

    enum Misuse: CaseIterable { case otherState, otherApp, late, signedOut, unknown }

    @Test(arguments: Misuse.allCases)
    func `a misused code is refused, and used up by it`(misuse: Misuse) async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let (sales, other) = (try await harness.makeApp("sales", owner: grace), try await harness.makeApp("other", owner: grace))
            let session = try await harness.signIn("grace")
            let code = try await harness.service.issueCode(session: session, appID: sales, state: state)
            var (tried, triedApp, triedState) = (code, sales, state)
            switch misuse {
            case .otherState: triedState = String(repeating: "t", count: 43)
            case .otherApp: triedApp = other
            case .late: harness.clock.advance(60)
            case .signedOut: try await harness.service.signOut(session: session)
            case .unknown: tried = Secret.random()
            }
            let refused = await errorCode { try await harness.service.redeemCode(tried, appID: triedApp, state: triedState) }
            #expect(refused == .unauthenticated)
            guard misuse != .unknown else { return }
            let again = await errorCode { try await harness.service.redeemCode(code, appID: sales, state: state) }
            #expect(again == .unauthenticated)
            #expect(try await harness.store.read { try OneTimeCodeRecord.fetchCount($0) } == 0)
        }
    }

    @Test func `an app's session ends with the panel's at the latest`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            let appID = try await harness.makeApp("sales", owner: grace)
            let session = try await harness.signIn("grace")
            harness.clock.advance(7 * 86_400 - 3_600)
            let code = try await harness.service.issueCode(session: session, appID: appID, state: state)
            let cookie = try await harness.service.redeemCode(code, appID: appID, state: state)
            harness.clock.advance(3_599)
            guard case .allow = await harness.service.decide(appID: appID, cookie: cookie) else {
                Issue.record("refused too early")
                return
            }
            harness.clock.advance(1)
            guard case .signIn = await harness.service.decide(appID: appID, cookie: cookie) else {
                Issue.record("let through too long")
                return
            }
        }
    }

    @Test func `a code is given only to those who may see the app`() async throws {
        try await Harness.run { harness in
            let grace = try await harness.addUser("grace")
            try await harness.addUser("alan", role: .viewer)
            let appID = try await harness.makeApp("sales", owner: grace, access: .named)
            let session = try await harness.signIn("alan")
            #expect(await errorCode { try await harness.service.issueCode(session: session, appID: appID, state: state) } == .forbidden)
            #expect(await errorCode { try await harness.service.issueCode(session: session, appID: appID, state: "short") } == .invalid)
        }
    }
}
