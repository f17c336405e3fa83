import GRDB
import Models
import Store
import Testing

@testable import Pushes

struct AuthorizationTests {
    @Test(arguments: [("Sales_1", "cannot be an app's name"), ("admin", "reserved"), ("-x", "cannot be an app's name")])
    func `a name that cannot be an app's is refused with the reason`(name: String, reason: String) async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            let result = try await server.git("push", server.url(name), "main")
            #expect(!result.succeeded)
            #expect(result.output.contains("remote: "))
            #expect(result.output.contains(reason))
        }
    }

    @Test func `wrong credentials are refused`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            let result = try await server.git("push", "http://ada:wrong@127.0.0.1:\(server.port)/git/sales.git", "main")
            #expect(!result.succeeded)
            #expect(result.output.contains("Authentication failed"))
            #expect(try await server.store.read { try AppRecord.fetchCount($0) } == 0)
        }
    }

    @Test func `an app that one may not touch looks like one that does not exist`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            for user in ["dave", "vera"] {
                let hidden = try await server.git("ls-remote", server.url("sales", user: user))
                let missing = try await server.git("ls-remote", server.url("sadly", user: user))
                #expect(!hidden.succeeded)
                #expect(hidden.output.replacing("sales", with: "sadly") == missing.output)
            }
            let push = try await server.git("push", server.url("sales", user: "vera"), "main:refs/heads/x")
            let create = try await server.git("push", server.url("sadly", user: "vera"), "main:refs/heads/x")
            #expect(push.output.contains("remote: there is no app “sales” that you may push to"))
            #expect(push.output.replacing("sales", with: "sadly") == create.output)
            #expect(try await !server.git("push", server.url("sales", user: "dave"), "main:refs/heads/x").succeeded)
        }
    }

    @Test func `a collaborator may push and fetch`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            let app = try await server.record("sales")
            try await server.store.write { db in
                let dave = try UserRecord.fetchAll(db).first { $0.username == "dave" }!
                try CollaboratorRecord(appID: app.id!, userID: dave.id!, role: .collaborator).insert(db)
            }
            try await server.commit(["app.py": "2\n"], message: "by dave")
            try await server.ok("push", server.url("sales", user: "dave"), "main")
            #expect(server.deployer.pushes.last?.pusher.username == "dave")
        }
    }
}
