import Foundation
import Models
import Store
import Testing

@testable import Pushes

struct TransportTests {
    @Test(arguments: [0, 1, 2])
    func `clone, fetch and push work in each version of the protocol`(version: Int) async throws {
        try await PushServer.run { server in
            let protocolVersion = "protocol.version=\(version)"
            try await server.makeWork()
            try await server.ok("-c", protocolVersion, "push", server.url("sales"), "main")
            try await server.ok("-c", protocolVersion, "clone", "-q", server.url("sales"), "copy", in: ".")
            try await server.commit(["b.py": "2\n"], message: "second")
            try await server.ok("-c", protocolVersion, "push", server.url("sales"), "main")
            try await server.ok("-c", protocolVersion, "pull", "-q", in: "copy")
            #expect(try await server.ok("rev-parse", "HEAD", in: "copy") == server.ok("rev-parse", "HEAD"))
            try await server.ok("-c", protocolVersion, "clone", "-q", "--depth=1", server.url("sales"), "thin", in: ".")
        }
    }

    @Test func `a gzipped request is inflated`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            try await server.ok("clone", "-q", server.url("sales"), "copy", in: ".")
            for number in 0..<60 { try await server.ok("commit", "-q", "--allow-empty", "-m", "local \(number)", in: "copy") }
            try await server.commit(["b.py": "2\n"], message: "second")
            try await server.ok("push", server.url("sales"), "main")
            let trace = try await server.ok("fetch", "origin", in: "copy", environment: ["GIT_TRACE_CURL": "1"])
            #expect(trace.lowercased().contains("content-encoding: gzip"))
            #expect(try await server.ok("rev-parse", "origin/main", in: "copy") == server.ok("rev-parse", "HEAD"))
        }
    }

    @Test func `a chunked push arrives whole`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try makeRandomFile(server, "data.bin", mebibytes: 3)
            try await server.commit([:], message: "data")
            let trace = try await server.ok(
                "-c", "http.postBuffer=65536", "push", server.url("sales"), "main",
                environment: ["GIT_TRACE_CURL": "1", "GIT_TRACE_CURL_NO_DATA": "1"])
            #expect(trace.lowercased().contains("transfer-encoding: chunked"))
            #expect(server.deployer.paths == [["app.py", "data.bin"]])
        }
    }

    @Test(arguments: [[], ["-c", "http.postBuffer=65536"]])
    func `a push above the limit is refused in words and leaves nothing`(options: [String]) async throws {
        try await PushServer.run(maximumPushBytes: 1 << 20) { server in
            try await server.makeWork()
            try makeRandomFile(server, "data.bin", mebibytes: 12)
            try await server.commit([:], message: "data")
            let arguments = options + ["push", server.url("sales"), "main"]
            let result = try await runGit(arguments, in: server.folder.appending(path: "work"), home: server.folder)
            #expect(!result.succeeded)
            #expect(result.output.contains("remote: fatal: pack exceeds maximum") || result.output.contains("larger than 1 MiB"))
            #expect(try await server.eventually { server.processes().isEmpty })
            #expect(try await server.quarantines(of: "sales") == [])
            #expect(server.deployer.pushes.isEmpty)
        }
    }

    @Test func `a full disk refuses a push in words but still serves a fetch`() async throws {
        try await PushServer.run(minimumFreeBytes: .max) { server in
            try await server.makeWork()
            let result = try await server.git("push", server.url("sales"), "main")
            #expect(!result.succeeded)
            #expect(result.output.contains("remote: the disk that holds the platform's repositories is full"))
            try await server.ok("ls-remote", server.url("sales"))
        }
    }

    @Test func `the dumb protocol is refused in words`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            let result = try await server.git("ls-remote", server.url("sales"), environment: ["GIT_SMART_HTTP": "0"])
            #expect(!result.succeeded)
            #expect(result.output.contains("only git's smart HTTP protocol is served here"))
        }
    }

    @Test func `an object that git's fsck rejects is refused`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            let blob = try await server.ok("hash-object", "-w", "app.py")
            let bytes = stride(from: 0, to: 40, by: 2).map { UInt8(blob.dropFirst($0).prefix(2), radix: 16)! }
            try (Data("100644 .git\u{0}".utf8) + Data(bytes)).write(to: server.folder.appending(path: "tree"))
            let tree = try await server.ok("hash-object", "-w", "-t", "tree", "--literally", "../tree")
            let commit = try await server.ok("commit-tree", tree, "-m", "bad")
            let result = try await server.git("push", server.url("sales"), "\(commit):refs/heads/main")
            #expect(!result.succeeded)
            #expect(result.output.contains("hasDotgit"))
            #expect(server.deployer.pushes.isEmpty)
        }
    }

    @Test func `a shallow clone can push`() async throws {
        try await PushServer.run { server in
            try await server.makeWork()
            try await server.commit(["app.py": "2\n"], message: "second")
            let origin = server.folder.appending(path: "work").absoluteString
            try await server.ok("clone", "-q", "--depth=1", origin, "shallow", in: ".")
            try await server.ok("push", server.url("sales"), "main", in: "shallow")
            #expect(server.deployer.paths == [["app.py"]])
        }
    }

    @Test func `an empty commit deploys, and a ref with odd characters is only kept`() async throws {
        try await PushServer.run { server in
            try await server.makeWork(files: [:])
            let odd = "refs/heads/$(touch${IFS}x);'\"&|<>é"
            let output = try await server.ok("push", server.url("sales"), "main", "HEAD:\(odd)")
            #expect(output.contains("kept, not deployed: branch $(touch${IFS}x);"))
            #expect(server.deployer.paths == [[]])
            #expect(try await server.ref(odd, of: "sales") != nil)
        }
    }

    @Test func `a large repository goes up and down in constant memory`() async throws {
        // Larger ones are tried by hand.
        let mebibytes = ProcessInfo.processInfo.environment["MOOR_TEST_LARGE_MIB"].flatMap { Int($0) } ?? 160
        try await PushServer.run { server in
            try await server.makeWork()
            try makeRandomFile(server, "data.bin", mebibytes: mebibytes)
            // The clock of this test is not to be spent in the client's compression.
            try await server.ok("config", "core.compression", "0")
            try await server.commit([:], message: "data")
            // Other tests grow in the same process meanwhile, now and then; what held a file would show each time.
            var grown: [Int] = []
            while grown.count < 5, grown.min() ?? .max >= 100 << 20 {
                let app = "large-\(grown.count)"
                try? FileManager.default.removeItem(at: server.folder.appending(path: "copy"))
                let before = try resetPeak()
                try await server.ok("push", server.url(app), "main")
                try await server.ok("clone", "-q", server.url(app), "copy", in: ".")
                grown.append(try peak() - before)
            }
            let least = grown.min() ?? .max
            #expect(least < 100 << 20, "the process grew by \(grown.map { $0 >> 20 }) MiB")
            let size = try FileManager.default.attributesOfItem(atPath: server.folder.appending(path: "copy/data.bin").path)[.size]
            #expect(size as? Int == mebibytes << 20)
        }
    }

    private func makeRandomFile(_ server: PushServer, _ name: String, mebibytes: Int) throws {
        let file = server.folder.appending(path: "work/\(name)")
        #expect(FileManager.default.createFile(atPath: file.path, contents: nil))
        let (source, target) = (try FileHandle(forReadingFrom: URL(filePath: "/dev/urandom")), try FileHandle(forWritingTo: file))
        for _ in 0..<mebibytes { try target.write(contentsOf: source.read(upToCount: 1 << 20)!) }
        try target.close()
    }

    /// Resident bytes now; the peak counts from here (proc(5), clear_refs).
    private func resetPeak() throws -> Int {
        try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
        return try peak()
    }

    private func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return (Int(line.split(separator: " ", omittingEmptySubsequences: true)[1].trimmingCharacters(in: .whitespaces)) ?? 0) << 10
    }
}
