import Foundation
import Models
import TestSupport
import Testing

@testable import Platform

struct DataFolderTests {
    @Test func `a second platform on the same folder is refused and told who holds it`() async throws {
        try await withScratchFolder { scratch in
            let path = scratch.appending(path: "data").path
            let first = try DataFolder(path: path)
            let error = #expect(throws: MoorError.self) { _ = try DataFolder(path: path) }
            #expect(error?.code == .conflict)
            #expect(error?.message.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
            _ = try first.platformID()
        }
    }

    @Test func `the lock goes with its holder and the platform's id stays`() async throws {
        try await withScratchFolder { scratch in
            let path = scratch.appending(path: "data").path
            func id() throws -> String { try DataFolder(path: path).platformID() }
            let first = try id()
            #expect(try id() == first)
            #expect(first.count == 8)
        }
    }

    @Test func `keys and repositories lie in folders that nobody else can read`() async throws {
        try await withScratchFolder { scratch in
            let data = try DataFolder(path: scratch.appending(path: "data").path)
            for name in ["", "keys", "repositories"] {
                let mode = try FileManager.default.attributesOfItem(atPath: data(name))[.posixPermissions] as? Int
                #expect(mode == 0o700)
            }
        }
    }
}
