package import Foundation
import GRDB
package import Models
package import Store

/// A folder of its own for one test, removed when the body ends, however it ends.
package func withScratchFolder<T>(_ body: (URL) async throws -> T) async throws -> T {
    // Short: Podman takes no run folder of more than 50 characters, and the tests have a temporary folder of their own.
    let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "t-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// A migrated database on disk, with one admin, for one test.
package func withDataStore<T>(_ body: (DataStore, Principal) async throws -> T) async throws -> T {
    try await withScratchFolder { folder in
        let store = try DataStore(path: folder.appending(path: "moor.sqlite").path)
        let admin = try await store.write { db in
            var user = UserRecord(username: "ada", name: "Ada Example", email: "ada@example.com", role: .admin, createdAt: now())
            try user.insert(db)
            return Principal(userID: user.id!, username: user.username, role: .admin, means: .password)
        }
        return try await body(store, admin)
    }
}

extension DataStore {
    /// An app of that owner.
    package func makeApp(_ name: String, owner: Principal) async throws -> AppRecord {
        try await write { db in
            var app = AppRecord(name: try AppName(validating: name), ownerID: owner.userID, access: .signedIn, createdAt: now())
            try app.insert(db)
            return app
        }
    }

    /// A succeeded push, build and image of the app, as a release needs them.
    package func makeImage(for app: AppRecord, formation: Formation) async throws -> ImageRecord {
        try await write { db in
            var push = PushRecord(
                appID: app.id!, ref: "refs/heads/main", afterCommit: String(repeating: "a", count: 40), subject: "test", state: .accepted,
                startedAt: now(), endedAt: now())
            try push.insert(db)
            var build = BuildRecord(
                pushID: push.id!, treeID: String(repeating: "b", count: 40), buildpack: "pip", state: .succeeded, startedAt: now(),
                endedAt: now())
            try build.insert(db)
            var image = ImageRecord(
                buildID: build.id!, digest: "sha256:\(build.id!)", reference: "moor/test:\(build.id!)", bytes: 1, formation: formation,
                createdAt: now())
            try image.insert(db)
            return image
        }
    }
}
