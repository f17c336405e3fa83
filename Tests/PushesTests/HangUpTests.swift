import Foundation
import GRDB
import Glibc
import Models
import Store
import Testing

@testable import Pushes

struct HangUpTests {
    @Test func `a pusher who hangs up cancels the deploy and leaves nothing changed`() async throws {
        try await PushServer.run(deploy: TestDeployer.untilCancelled) { server in
            try await server.makeWork()
            try await hangUpDuringDeploy(server)
            try await server.untilPushes { $0.map(\.state) == [.cancelled] }
            #expect(try await server.eventually { server.processes().isEmpty })
            #expect(try await server.ref("refs/heads/main", of: "sales") == nil)
            #expect(try await server.quarantines(of: "sales") == [])
            #expect(try await server.record("sales").deployBranch == nil)
        }
    }

    @Test func `a deploy that went too far to be cancelled still moves its branch`() async throws {
        let finishes: TestDeployer.Deploy = { push, source, log throws(MoorError) in
            do throws(MoorError) { try await TestDeployer.untilCancelled(push, source, log) } catch {}
        }
        try await PushServer.run(deploy: finishes) { server in
            try await server.makeWork()
            try await hangUpDuringDeploy(server)
            try await server.untilPushes { $0.map(\.state) == [.accepted] }
            let head = try await server.ok("rev-parse", "HEAD")
            #expect(try await server.eventually { try await server.ref("refs/heads/main", of: "sales") == head })
            #expect(try await server.eventually { server.processes().isEmpty })
            #expect(try await server.pushes().map(\.failure) == [nil])
        }
    }

    @Test func `a hook that is killed cancels the deploy and rejects the push`() async throws {
        try await PushServer.run(deploy: TestDeployer.untilCancelled) { server in
            try await server.makeWork()
            let result = try await withThrowingTaskGroup(of: GitResult.self) { group in
                group.addTask { try await server.git("push", server.url("sales"), "main") }
                for await _ in server.deployer.begins { break }
                let hooks = server.processes(named: "pre-receive")
                #expect(hooks.count == 1)
                for hook in hooks { kill(hook, SIGKILL) }
                return try await group.next()!
            }
            #expect(!result.succeeded)
            try await server.untilPushes { $0.map(\.state) == [.cancelled] }
            #expect(try await server.ref("refs/heads/main", of: "sales") == nil)
            #expect(try await server.eventually { server.processes().isEmpty })
        }
    }

    @Test func `a git that is killed cancels the deploy and takes its hook with it`() async throws {
        try await PushServer.run(deploy: TestDeployer.untilCancelled) { server in
            try await server.makeWork()
            try await withThrowingTaskGroup(of: GitResult.self) { group in
                group.addTask { try await server.git("push", server.url("sales"), "main") }
                for await _ in server.deployer.begins { break }
                for git in server.processes(named: "receive-pack") { kill(git, SIGKILL) }
                let result = try #require(try await group.next())
                #expect(!result.succeeded)
                #expect(result.output.contains("git ended in the middle"))
            }
            try await server.untilPushes { $0.map(\.state) == [.cancelled] }
            #expect(try await server.eventually { server.processes().isEmpty })
            #expect(try await server.ref("refs/heads/main", of: "sales") == nil)
            // What a killed git leaves behind, the next start removes.
            try await server.service.resume()
            #expect(try await server.quarantines(of: "sales") == [])
        }
    }

    @Test func `a start closes the pushes and removes the objects that a crash left open`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            let app = try await server.record("sales")
            try await server.store.write { db in
                for state in [PushRecord.State.waiting, .deploying] {
                    var push = PushRecord(
                        appID: app.id!, ref: "refs/heads/main", afterCommit: String(repeating: "a", count: 40), subject: "", state: state,
                        startedAt: now())
                    try push.insert(db)
                }
            }
            let repository = try await server.repository("sales")
            for path in ["objects/tmp_objdir-incoming-abc", "refs/heads/main.lock"] {
                try FileManager.default.createDirectory(atPath: "\(repository)/\(path)", withIntermediateDirectories: false)
            }
            try await server.service.resume()
            #expect(try await server.quarantines(of: "sales") == [])
            let pushes = try await server.pushes()
            #expect(pushes.map(\.state) == [.accepted, .cancelled, .cancelled])
            #expect(pushes.last?.failure?.contains("stopped") == true)
            try await server.commit(["app.py": "2\n"], message: "second")
            try await server.ok("push", server.url("sales"), "main")
        }
    }

    private func hangUpDuringDeploy(_ server: PushServer) async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await server.git("push", server.url("sales"), "main") }
            for await _ in server.deployer.begins { break }
            group.cancelAll()
            await group.waitForAll()
        }
        for await _ in server.deployer.ends { break }
    }
}
