import Foundation
import GRDB
import Glibc
import Logging
package import Models
import Store

extension PushService {
    /// Makes the app's empty repository; does nothing where it has one.
    @concurrent package func prepareRepository(for appID: AppID, name: AppName) async throws(MoorError) {
        try repositories.prepare(appID)
    }

    /// Removes the app's repository with everything in it.
    @concurrent package func removeRepository(for appID: AppID) async throws(MoorError) {
        try repositories.remove(appID)
    }

    /// Before the first request after a start: whatever the last run left open is closed as cancelled, and the objects of
    /// pushes that were not accepted are removed. Puts the hook in its place.
    @concurrent package func resume() async throws(MoorError) {
        // git goes away when it likes; writing to it then must be an error and not the end of the platform.
        signal(SIGPIPE, SIG_IGN)
        let removed = try repositories.removeLeftovers()
        try installHook()
        let closed = try await store.write { db in
            try PushRecord
                .filter(Column("endedAt") == nil)
                .updateAll(
                    db, Column("state").set(to: PushRecord.State.cancelled), Column("endedAt").set(to: now()),
                    Column("failure").set(to: "the platform stopped while this push was under way"))
        }
        if removed > 0 || closed > 0 {
            logger.notice("cleaned up after an interrupted run", metadata: ["pushes": "\(closed)", "leftovers": "\(removed)"])
        }
    }

    /// The running binary under the name by which git calls it.
    private func installHook() throws(MoorError) {
        let files = FileManager.default
        let link = "\(configuration.hooksFolder)/pre-receive"
        do {
            try files.createDirectory(
                atPath: configuration.hooksFolder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            if (try? files.destinationOfSymbolicLink(atPath: link)) == configuration.moorExecutable { return }
            let draft = "\(link).new"
            try? files.removeItem(atPath: draft)
            try files.createSymbolicLink(atPath: draft, withDestinationPath: configuration.moorExecutable)
            // SAFETY: both paths are C strings for the length of the call.
            guard unsafe rename(draft, link) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        } catch {
            throw MoorError(.unavailable, "git's hook could not be put in its place", hint: "check the data folder", cause: error)
        }
    }
}
