import Foundation
import TestSupport
import Testing

@Test func `an engine of its own starts, answers and leaves nothing behind`() async throws {
    let folder = try await withPodman { engine in
        let images = try await engine.podman("images", "--quiet")
        #expect(images == "")
        #expect(FileManager.default.fileExists(atPath: engine.socketPath))
        return engine.folder
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path))
    let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    #expect(!mounts.contains(folder.path))
}
