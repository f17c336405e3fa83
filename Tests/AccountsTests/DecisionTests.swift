import Foundation
import GRDB
import Models
import Store
import Testing

@testable import Accounts

@Suite struct DecisionTests {
    enum Who: String, CaseIterable { case anonymous, stranger, viewer, collaborator, owner, admin }
    enum Answer: Equatable { case anonymous, allowed(details: Bool), signIn, forbidden }

    private static let table: [(AccessMode, Who, Answer)] = [
        (.public, .anonymous, .anonymous), (.public, .stranger, .allowed(details: false)), (.public, .viewer, .allowed(details: false)),
        (.public, .collaborator, .allowed(details: true)), (.public, .owner, .allowed(details: true)),
        (.public, .admin, .allowed(details: true)),
        (.signedIn, .anonymous, .signIn), (.signedIn, .stranger, .allowed(details: false)), (.signedIn, .viewer, .allowed(details: false)),
        (.signedIn, .collaborator, .allowed(details: true)), (.signedIn, .owner, .allowed(details: true)),
        (.signedIn, .admin, .allowed(details: true)),
        (.named, .anonymous, .signIn), (.named, .stranger, .forbidden), (.named, .viewer, .allowed(details: false)),
        (.named, .collaborator, .allowed(details: true)), (.named, .owner, .allowed(details: true)),
        (.named, .admin, .allowed(details: true)),
    ]

    @Test func `who may see what`() async throws {
        #expect(Self.table.count == AccessMode.allCases.count * Who.allCases.count)
        try await Harness.run { harness in
            let owner = try await harness.addUser("owner")
            try await harness.addUser("stranger")
            try await harness.addUser("admin", role: .admin)
            let appID = try await harness.makeApp("sales", owner: owner, access: .public)
            try await harness.name(try await harness.addUser("viewer", role: .viewer), .viewer, in: appID)
            try await harness.name(try await harness.addUser("collaborator"), .collaborator, in: appID)
            var cookies: [Who: String] = [:]
            for who in Who.allCases where who != .anonymous { cookies[who] = try await harness.appCookie(who.rawValue, appID) }
            for (mode, who, expected) in Self.table {
                try await harness.store.write { try $0.execute(sql: "UPDATE apps SET access = ?", arguments: [mode]) }
                let answer: Answer
                switch await harness.service.decide(appID: appID, cookie: cookies[who]) {
                case .allow(let headers, _) where headers.fields.isEmpty && headers.cookie == nil: answer = .anonymous
                case .allow(let headers, _): answer = .allowed(details: headers.seesDetails)
                case .signIn: answer = .signIn
                case .forbidden(let username):
                    #expect(username == who.rawValue)
                    answer = .forbidden
                }
                #expect(answer == expected, "\(mode) \(who)")
            }
        }
    }

    @Test(arguments: [nil, "", "garbage", String(repeating: "x", count: 43)])
    func `a cookie that names no session is no viewer`(cookie: String?) async throws {
        try await Harness.run { harness in
            let owner = try await harness.addUser("owner")
            let appID = try await harness.makeApp("sales", owner: owner, access: .public)
            guard case .allow(let headers, let remember) = await harness.service.decide(appID: appID, cookie: cookie) else {
                Issue.record("a public app asked for a sign-in")
                return
            }
            #expect(headers == ViewerHeaders() && remember == .seconds(60))
        }
    }

    @Test func `one app's cookie says nothing at another`() async throws {
        try await Harness.run { harness in
            let owner = try await harness.addUser("owner")
            let (sales, other) = (try await harness.makeApp("sales", owner: owner), try await harness.makeApp("other", owner: owner))
            guard case .signIn = await harness.service.decide(appID: other, cookie: try await harness.appCookie("owner", sales)) else {
                Issue.record("the cookie of one app opened another")
                return
            }
        }
    }

    @Test(arguments: [
        (600.0, 86_400.0, 60.0), (600, 20, 20), (600, -5, 0), (45, 86_400, 15), (20, 86_400, 0),
    ])
    func `an answer is remembered a minute, and never past what it rests on`(token: Double, session: Double, expected: Double) {
        #expect(AccountService.memory(token: .seconds(token), session: .seconds(session)) == .seconds(expected))
    }
}
