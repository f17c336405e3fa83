import Foundation
import Models
import TestSupport
import Testing

@testable import Pushes

struct SourceTreeTests {
    @Test(arguments: [false, true])
    func `the tar unpacks to what git archive gives, the same bytes each time`(isPacked: Bool) async throws {
        try await withScratchFolder { folder in
            let commit = try await makeRepository(in: folder, isPacked: isPacked)
            let tree = try GitSourceTree(repository: folder.appending(path: "bare.git").path, commit: commit)
            let bytes = try await collect(tree.tar(prefix: "", extra: []))
            let again = try await collect(
                GitSourceTree(repository: folder.appending(path: "bare.git").path, commit: commit).tar(prefix: "", extra: []))
            #expect(bytes == again)
            #expect(bytes.count % 512 == 0)
            try Data(bytes).write(to: folder.appending(path: "ours.tar"))
            try await ok(["-C", "bare.git", "-c", "tar.umask=022", "archive", "-o", "../git.tar", commit], in: folder)
            var listings: [String] = []
            for name in ["ours", "git"] {
                try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: false)
                let unpacked = try await runProgram(
                    "tar", ["-xpf", folder.appending(path: "\(name).tar").path, "-C", folder.appending(path: name).path], home: folder)
                #expect(unpacked.succeeded, "\(unpacked.output)")
                listings.append(
                    try await runProgram("find", [folder.appending(path: name).path, "-printf", "%P|%y|%m|%l\\n"], home: folder).output
                        .split(separator: "\n").sorted().joined(separator: "\n"))
            }
            #expect(listings[0] == listings[1])
            let difference = try await runProgram(
                "diff", ["-r", "--no-dereference", folder.appending(path: "ours").path, folder.appending(path: "git").path], home: folder)
            #expect(difference.succeeded, "\(difference.output)")
        }
    }

    @Test func `entries and contents are read from the commit`() async throws {
        try await withScratchFolder { folder in
            let commit = try await makeRepository(in: folder, isPacked: false)
            let tree = try GitSourceTree(repository: folder.appending(path: "bare.git").path, commit: commit)
            let entries = try tree.entries()
            #expect(entries.first { $0.path == "run.sh" }?.kind == .executable)
            #expect(entries.first { $0.path == "link" }?.kind == .symlink)
            #expect(entries.first { $0.path == "lib" }?.kind == .submodule)
            #expect(entries.first { $0.path == "big.bin" }?.size == 3 << 20)
            #expect(try tree.contents(of: "app.py", limit: 100) == Array("print(1)\n".utf8))
            #expect(try tree.contents(of: "naïve/ünïcode.txt", limit: 100) == Array("x\n".utf8))
            #expect(try tree.contents(of: "link", limit: 100) == nil)
            #expect(try tree.contents(of: "missing", limit: 100) == nil)
            #expect(throws: MoorError.self) { try tree.contents(of: "big.bin", limit: 100) }
            #expect(try tree.unsupported(maximumFileBytes: 1 << 20).map(\.path).sorted() == ["big.bin", "lib"])
        }
    }

    @Test func `a tar has a prefix, files put before it, and small chunks`() async throws {
        try await withScratchFolder { folder in
            let commit = try await makeRepository(in: folder, isPacked: true)
            let tree = try GitSourceTree(repository: folder.appending(path: "bare.git").path, commit: commit)
            let file = TarFile(path: "Containerfile", contents: Array("FROM scratch\n".utf8))
            var bytes: [UInt8] = []
            for try await chunk in tree.tar(prefix: "app/", extra: [file]) {
                #expect(chunk.count <= 1 << 20)
                bytes += chunk
            }
            try Data(bytes).write(to: folder.appending(path: "context.tar"))
            let list = try await runProgram("tar", ["-tf", folder.appending(path: "context.tar").path], home: folder).output.split(
                separator: "\n")
            #expect(list.first == "Containerfile")
            #expect(list.contains("app/app.py"))
            #expect(list.dropFirst().allSatisfy { $0.hasPrefix("app/") })
        }
    }

    @Test func `a changed file has a changed time, so that no browser keeps the old one`() {
        let times = ["a", "b"].map { name -> ArraySlice<UInt8> in
            let block = TarHeader.blocks(
                path: Array(name.utf8), kind: .file, mode: 0o644, size: 0, time: name == "a" ? 946_684_800 : 946_684_801)
            return block[136..<148]
        }
        #expect(times[0] != times[1])
    }

    @Test(arguments: [
        ("", false), (".", false), ("..", false), (".git", false), (".GIT", false), ("a/b", false), (".gitignore", true), ("...", true),
    ])
    func `a name that could lead out of its folder is not safe`(name: String, isSafe: Bool) {
        #expect(GitObjects.isSafe(Array(name.utf8)) == isSafe)
    }

    /// A bare repository with one of each: long, foreign and broken names, links, modes, sizes, a submodule, an empty file.
    private func makeRepository(in folder: URL, isPacked: Bool) async throws -> String {
        let work = folder.appending(path: "work")
        let deep = String(repeating: "deep-folder-name/", count: 12)
        let files: [String: Data] = [
            "app.py": Data("print(1)\n".utf8), "run.sh": Data("#!/bin/sh\n".utf8), "empty": Data(), "naïve/ünïcode.txt": Data("x\n".utf8),
            "\(deep)file.txt": Data("deep\n".utf8), String(repeating: "n", count: 120): Data("long\n".utf8),
            "exact.bin": Data(repeating: 7, count: 512), "big.bin": Data((0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }),
        ]
        for (path, data) in files {
            let file = work.appending(path: path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try data.write(to: file)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: work.appending(path: "run.sh").path)
        try FileManager.default.createSymbolicLink(atPath: work.appending(path: "link").path, withDestinationPath: "app.py")
        try FileManager.default.createSymbolicLink(
            atPath: work.appending(path: "long-link").path, withDestinationPath: String(repeating: "t", count: 150))
        try await ok(["init", "-q", "-b", "main"], in: work)
        try await ok(["add", "-A"], in: work)
        // A name that is not UTF-8 cannot be given as an argument here; git takes it from a file.
        let blob = try await ok(["hash-object", "-w", "app.py"], in: work)
        try (Data("100644 \(blob)\tbad-".utf8) + Data([0xFF, 0xFE]) + Data(".txt\n".utf8)).write(to: folder.appending(path: "index-info"))
        let added = try await runProgram(
            "sh", ["-c", "git -C \"$0\" update-index --index-info < \"$1\"", work.path, folder.appending(path: "index-info").path],
            home: folder)
        #expect(added.succeeded, "\(added.output)")
        try await ok(["update-index", "--add", "--cacheinfo", "160000,\(String(repeating: "1", count: 40)),lib"], in: work)
        try await ok(["commit", "-q", "-m", "all"], in: work)
        try await ok(["clone", "-q", "--bare", "work", "bare.git"], in: folder)
        if isPacked { try await ok(["repack", "-adq"], in: folder.appending(path: "bare.git")) }
        return try await ok(["rev-parse", "HEAD"], in: work)
    }

    @discardableResult
    private func ok(_ arguments: [String], in folder: URL) async throws -> String {
        let result = try await runGit(arguments, in: folder, home: FileManager.default.temporaryDirectory)
        guard result.succeeded else { throw PushServer.GitFailed(arguments: arguments, output: result.output) }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func collect(_ chunks: any AsyncSequence<[UInt8], any Error> & Sendable) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in chunks { bytes += chunk }
        return bytes
    }
}
