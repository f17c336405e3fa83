import Foundation
import Glibc
package import Models

/// The folder that holds everything the platform keeps, and the lock that keeps a second platform out of it.
package struct DataFolder: ~Copyable {
    package let path: String
    /// Open for as long as the lock is wanted; the kernel drops it with the process, however that ends.
    private let lock: Int32

    /// Creates the folder (0700) where it is missing and locks it.
    /// - Throws: `conflict` where another process holds the lock, `unavailable` where the folder cannot be used.
    package init(path: String) throws(MoorError) {
        let absolute = URL(filePath: path).standardizedFileURL.path
        do {
            for folder in ["", "repositories", "logs", "keys", "scratch", "run", "engine", "hooks"] {
                try FileManager.default.createDirectory(
                    atPath: absolute + "/" + folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
        } catch {
            throw MoorError(
                .unavailable, "the data folder \(absolute) cannot be made",
                hint: "check its disk and permissions, or set another with MOOR_DATA",
                cause: error)
        }
        let file = absolute + "/moor.lock"
        // unsafe: open(2) and read(2) take pointers to strings and buffers that live through the call.
        let lock = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw MoorError(.unavailable, "the data folder \(absolute) cannot be written", hint: "check its permissions")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? String(contentsOfFile: file, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
            throw MoorError(
                .conflict, "another moor serve\(holder.isEmpty ? "" : " (process \(holder))") uses the data folder \(absolute)",
                hint: "stop it first, or give this one a folder of its own with MOOR_DATA")
        }
        ftruncate(lock, 0)
        let text = Array("\(getpid())\n".utf8)
        // unsafe: the buffer outlives the call, and its count is passed with it.
        _ = unsafe text.withUnsafeBytes { unsafe pwrite(lock, $0.baseAddress, $0.count, 0) }
        self.path = absolute
        self.lock = lock
    }

    deinit { close(lock) }

    package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// A short id of this platform, made once: it names containers, networks and images, so that platforms can share an engine.
    package func platformID() throws(MoorError) -> String {
        let file = self("platform-id")
        if let id = try? String(contentsOfFile: file, encoding: .utf8), id.count == 8 { return id }
        let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")
        let id = String((0..<8).map { _ in alphabet.randomElement()! })
        do {
            try id.write(toFile: file, atomically: true, encoding: .utf8)
        } catch {
            throw MoorError(.unavailable, "the data folder \(path) cannot be written", hint: "check its disk and permissions", cause: error)
        }
        return id
    }
}
