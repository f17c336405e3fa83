import Foundation
import Models
import Store
import Testing

@testable import Pushes

struct PushJourneyTests {
    @Test func `the first push creates the app, deploys, and a clone gives it back`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            let output = try await server.ok("push", server.url("sales"), "main")
            #expect(output.contains("remote: deploying first"))
            #expect(output.contains("sales is live at http://sales.localhost"))
            let head = try await server.ok("rev-parse", "HEAD")
            #expect(try await server.ref("refs/heads/main", of: "sales") == head)
            #expect(server.deployer.pushes.map(\.commitID) == [head])
            #expect(server.deployer.paths == [["app.py"]])
            let app = try await server.record("sales")
            #expect(app.deployBranch == "main")
            #expect(app.ownerID == server.ada.userID)
            let push = try #require(try await server.pushes().first)
            #expect(push.state == .accepted)
            #expect(push.subject == "first")
            #expect(push.beforeCommit == nil)
            #expect(push.endedAt != nil)

            try await server.ok("clone", "-q", server.url("sales"), "copy", in: ".")
            #expect(try await server.ok("rev-parse", "HEAD", in: "copy") == head)
        }
    }

    @Test func `a second push deploys, and the same commit again does not`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            try await server.commit(["app.py": "print('two')\n"], message: "second")
            try await server.ok("push", server.url("sales"), "main")
            let again = try await server.ok("push", server.url("sales"), "main")
            #expect(again.contains("up-to-date"))
            #expect(server.deployer.pushes.map(\.subject) == ["first", "second"])
        }
    }

    @Test func `a push whose deploy fails leaves the branch as it was and says why`() async throws {
        let fails: TestDeployer.Deploy = { push, _, _ throws(MoorError) in
            if push.subject == "broken" { throw MoorError(.appFailed, "web.1 does not answer", hint: "listen on $PORT", detail: ["boom"]) }
        }
        try await PushServer.run(deploy: fails) { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            let good = try await server.ref("refs/heads/main", of: "sales")
            try await server.commit(["app.py": "x\n"], message: "broken")
            let result = try await server.git("push", server.url("sales"), "main", "HEAD:refs/heads/other")
            #expect(!result.succeeded)
            for line in ["remote: error: web.1 does not answer", "boom", "hint: listen on $PORT", "pre-receive hook declined"] {
                #expect(result.output.contains(line))
            }
            #expect(try await server.ref("refs/heads/main", of: "sales") == good)
            #expect(try await server.ref("refs/heads/other", of: "sales") == nil)
            #expect(try await server.quarantines(of: "sales") == [])
            let push = try #require(try await server.pushes().last)
            #expect(push.state == .rejected)
            #expect(push.failure == "web.1 does not answer")
        }
    }

    @Test func `other branches and tags are kept and not deployed`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            try await server.ok("tag", "v1")
            let output = try await server.ok("push", server.url("sales"), "HEAD:refs/heads/try", "v1")
            #expect(output.contains("kept, not deployed: branch try"))
            #expect(output.contains("kept, not deployed: tag v1"))
            #expect(output.contains("only branch main deploys"))
            #expect(try await server.ref("refs/tags/v1", of: "sales") != nil)
            #expect(server.deployer.pushes.count == 1)
            let removed = try await server.ok("push", server.url("sales"), ":refs/heads/try")
            #expect(removed.contains("removed: branch try"))
            #expect(try await server.ref("refs/heads/try", of: "sales") == nil)
        }
    }

    @Test func `a fresh app that gets neither main nor master is told what to do`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            let output = try await server.ok("push", server.url("sales"), "HEAD:refs/heads/trunk")
            #expect(output.contains("git push <remote> HEAD:main"))
            #expect(server.deployer.pushes.isEmpty)
            try await server.ok("push", server.url("sales"), "HEAD:refs/heads/master")
            #expect(try await server.record("sales").deployBranch == "master")
            try await server.ok("clone", "-q", server.url("sales"), "copy", in: ".")
            #expect(try await server.ok("branch", "--show-current", in: "copy") == "master")
        }
    }

    @Test func `the deploy branch cannot be deleted but may be forced`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            let deletion = try await server.git("push", server.url("sales"), ":main")
            #expect(!deletion.succeeded)
            #expect(deletion.output.contains("cannot be deleted"))
            try await server.ok("commit", "-q", "--amend", "-m", "rewritten")
            #expect(try await !server.git("push", server.url("sales"), "main").succeeded)
            try await server.ok("push", "--force", server.url("sales"), "main")
            #expect(server.deployer.pushes.map(\.subject) == ["first", "rewritten"])
            #expect(try await server.ref("refs/heads/main", of: "sales") == server.ok("rev-parse", "HEAD"))
        }
    }

    @Test func `a tag object on the deploy branch is refused before a deploy`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("tag", "-a", "v1", "-m", "one")
            let result = try await server.git("push", server.url("sales"), "refs/tags/v1:refs/heads/main")
            #expect(!result.succeeded)
            #expect(server.deployer.pushes.isEmpty)
        }
    }

    @Test func `submodules and LFS pointers are named and refused`() async throws {
        let pointer = """
            version https://git-lfs.github.com/spec/v1
            oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
            size 12345

            """
        try await PushServer.run { server in
            try await server.makeWork(files: ["app.py": "1\n", "data/model.bin": pointer])
            let id = try await server.ok("rev-parse", "HEAD")
            try await server.ok("update-index", "--add", "--cacheinfo", "160000,\(id),lib")
            try await server.ok("commit", "-q", "-m", "with a submodule")
            let result = try await server.git("push", server.url("sales"), "main")
            #expect(!result.succeeded)
            #expect(result.output.contains("data/model.bin (Git LFS pointer)"))
            #expect(result.output.contains("lib (submodule)"))
            #expect(result.output.contains("hint: "))
            #expect(server.deployer.pushes.isEmpty)
            #expect(try await server.quarantines(of: "sales") == [])
        }
    }
}
