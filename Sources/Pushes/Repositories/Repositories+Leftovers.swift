import Foundation
import Glibc
import Models
import Synchronization

/// A git that is killed leaves its quarantine (since git 2.39 always) and, by SIGKILL, its locks.
extension Repositories {
    /// A `git receive-pack` is about to run on the app's repository.
    func beginReceiving(_ appID: AppID) { receiving.withLock { $0[appID, default: 0] += 1 } }

    /// It has ended. When none is left, whatever is left of them is removed.
    func endReceiving(_ appID: AppID) throws(MoorError) {
        let graves = try receiving.withLock { receiving throws(MoorError) -> [String] in
            receiving[appID, default: 1] -= 1
            guard receiving[appID, default: 0] <= 0 else { return [] }
            receiving[appID] = nil
            return try bury(leftovers(in: path(of: appID)))
        }
        try delete(graves)
    }

    /// Removes what a crash left in all repositories, and half-made and half-removed ones. Only where no git runs on them.
    /// - Returns: how many things that were.
    func removeLeftovers() throws(MoorError) -> Int {
        let files = FileManager.default
        let names = try Self.filing("the repositories' folder could not be read") {
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            return try files.contentsOfDirectory(atPath: folder)
        }
        var stale = names.filter { $0.hasPrefix(Self.beingMade) || $0.hasPrefix(Self.beingRemoved) }.map { "\(folder)/\($0)" }
        for name in names where name.hasSuffix(".git") { stale += leftovers(in: "\(folder)/\(name)") }
        try delete(stale)
        return stale.count
    }

    private func leftovers(in repository: String) -> [String] {
        let files = FileManager.default
        let objects = (try? files.contentsOfDirectory(atPath: "\(repository)/objects")) ?? []
        let locks = ["HEAD.lock", "packed-refs.lock", "shallow.lock"].filter { files.fileExists(atPath: "\(repository)/\($0)") }
        let refs = files.enumerator(atPath: "\(repository)/refs")?.compactMap { $0 as? String } ?? []
        let stale =
            objects.filter(Self.isQuarantine).map { "objects/\($0)" } + locks + refs.filter { $0.hasSuffix(".lock") }.map { "refs/\($0)" }
        return stale.map { "\(repository)/\($0)" }
    }

    /// Puts them out of git's sight, which is quick, so that deleting them may take its time.
    private func bury(_ paths: [String]) throws(MoorError) -> [String] {
        try Self.filing("what a push left could not be removed") {
            try paths.map { path in
                let grave = "\(folder)/\(Self.beingRemoved)\(UUID().uuidString)"
                // SAFETY: both paths are C strings for the length of the call.
                guard unsafe rename(path, grave) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
                return grave
            }
        }
    }

    private func delete(_ paths: [String]) throws(MoorError) {
        try Self.filing("what a push left could not be removed") {
            for path in paths { try FileManager.default.removeItem(atPath: path) }
        }
    }
}
