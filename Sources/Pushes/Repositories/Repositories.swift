import Foundation
import Glibc
package import Models
import Synchronization

/// The bare repositories on disk, one "<app id>.git" each. Their settings are not in them but in `GitSettings`.
package final class Repositories: Sendable {
    let folder: String
    /// How many `git receive-pack` run on each repository.
    let receiving = Mutex<[AppID: Int]>([:])
    static let beingMade = ".new-"
    static let beingRemoved = ".removed-"

    /// - Parameter folder: private to the platform.
    package init(folder: String) { self.folder = folder }

    func path(of appID: AppID) -> String { "\(folder)/\(appID).git" }

    func exists(_ appID: AppID) -> Bool { FileManager.default.fileExists(atPath: path(of: appID) + "/HEAD") }

    /// Makes the app's repository (gitrepository-layout(5)) under another name and then renames it, so that there is a
    /// whole one or none. Does nothing where it exists.
    package func prepare(_ appID: AppID) throws(MoorError) {
        guard !exists(appID) else { return }
        let draft = "\(folder)/\(Self.beingMade)\(appID)-\(UUID().uuidString)"
        try Self.filing("the app's repository could not be made") {
            do {
                for path in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
                    try FileManager.default.createDirectory(
                        atPath: "\(draft)/\(path)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                }
                try Data("ref: refs/heads/main\n".utf8).write(to: URL(filePath: "\(draft)/HEAD"))
                try Data("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n".utf8)
                    .write(to: URL(filePath: "\(draft)/config"))
                // SAFETY: both paths are C strings for the length of the call.
                guard unsafe rename(draft, path(of: appID)) == 0 else {
                    // Somebody else was faster, which is as good.
                    if exists(appID) { return try FileManager.default.removeItem(atPath: draft) }
                    throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
                }
            } catch {
                try? FileManager.default.removeItem(atPath: draft)
                throw error
            }
        }
    }

    /// The tree of a commit that was accepted.
    /// - Throws: `invalid` where there is none.
    package func source(of appID: AppID, commit: String) throws(MoorError) -> any SourceTree {
        try GitSourceTree(repository: path(of: appID), commit: commit)
    }

    /// Removes the repository: out of sight at once, then from the disk.
    package func remove(_ appID: AppID) throws(MoorError) {
        let grave = "\(folder)/\(Self.beingRemoved)\(appID)-\(UUID().uuidString)"
        try Self.filing("the app's repository could not be removed") {
            // SAFETY: both paths are C strings for the length of the call.
            guard unsafe rename(path(of: appID), grave) == 0 || errno == ENOENT else {
                throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
            }
            if FileManager.default.fileExists(atPath: grave) { try FileManager.default.removeItem(atPath: grave) }
        }
    }

    /// Makes `branch` what a clone checks out (gitrepository-layout(5), HEAD).
    func setHead(_ appID: AppID, to branch: String) throws(MoorError) {
        try Self.filing("the repository's HEAD could not be written") {
            try Data("ref: refs/heads/\(branch)\n".utf8).write(to: URL(filePath: "\(path(of: appID))/HEAD"), options: .atomic)
        }
    }

    /// Bytes that may still be written to the repositories' disk.
    func freeBytes() -> Int64 {
        var status = statvfs()
        // SAFETY: statvfs fills the struct where it returns 0.
        guard unsafe statvfs(folder, &status) == 0 else { return .max }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    /// Whether the name is one that git gives to a push's quarantine inside `objects`.
    static func isQuarantine(_ name: String) -> Bool {
        (name.hasPrefix("tmp_objdir-") || name.hasPrefix("incoming-")) && !name.contains("/")
    }

    static func filing<T>(_ message: String, _ body: () throws -> T) throws(MoorError) -> T {
        do { return try body() } catch {
            let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace || (error as? POSIXError)?.code == .ENOSPC
            throw isFull
                ? .diskFull : MoorError(.unavailable, message, hint: "the platform's admin must look at the data folder", cause: error)
        }
    }
}

extension MoorError {
    static let diskFull = MoorError(
        .unavailable, "the disk that holds the platform's repositories is full",
        hint: "nothing was changed; the platform's admin must free some space")
}
