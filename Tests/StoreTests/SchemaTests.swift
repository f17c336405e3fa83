import GRDB
import Models
import Store
import TestSupport
import Testing

/// What the schema itself refuses, whatever the code above it does.
@Suite struct SchemaTests {
    /// Statements that break one rule each, on a database with one app (1), push, build, image and release of each.
    static let refused: [(rule: String, sql: String)] = [
        ("a username is not empty", "INSERT INTO users (username, role, createdAt) VALUES ('', 'admin', 0)"),
        ("a username is unique whatever its case", "INSERT INTO users (username, role, createdAt) VALUES ('ADA', 'viewer', 0)"),
        ("a role is one of three", "INSERT INTO users (username, role, createdAt) VALUES ('bob', 'root', 0)"),
        ("a time is a number", "INSERT INTO users (username, role, createdAt) VALUES ('bob', 'viewer', 'today')"),
        ("a token's hash has 32 bytes", "INSERT INTO tokens (userID, name, hash, createdAt) VALUES (1, 't', x'00', 0)"),
        ("a token has an owner", "INSERT INTO tokens (userID, name, hash, createdAt) VALUES (9, 't', zeroblob(32), 0)"),
        ("an app's name starts with a letter", "INSERT INTO apps (name, ownerID, createdAt) VALUES ('1a', 1, 0)"),
        ("an app's name is lower case", "INSERT INTO apps (name, ownerID, createdAt) VALUES ('Sales', 1, 0)"),
        ("an app's name is at most 40 long", "INSERT INTO apps (name, ownerID, createdAt) VALUES ('a' || printf('%040d', 0), 1, 0)"),
        ("an app's name is unique", "INSERT INTO apps (name, ownerID, createdAt) VALUES ('sales', 1, 0)"),
        ("an app has an owner", "INSERT INTO apps (name, ownerID, createdAt) VALUES ('other', 9, 0)"),
        ("access is one of three", "INSERT INTO apps (name, ownerID, access, createdAt) VALUES ('other', 1, 'all', 0)"),
        ("an app's owner stays", "DELETE FROM users WHERE id = 1"),
        ("what is live is a release", "UPDATE apps SET liveReleaseID = 9"),
        ("a live release stays", "DELETE FROM releases WHERE id = 1"),
        ("a collaborator is not an owner", "INSERT INTO collaborators VALUES (1, 1, 'owner')"),
        ("a config name is a variable's", "INSERT INTO config VALUES (1, '1A', x'00', 0)"),
        ("a config name has no equals sign", "INSERT INTO config VALUES (1, 'A=B', x'00', 0)"),
        ("a build config name is a variable's", "INSERT INTO buildConfig VALUES (1, 'A B', x'00', 0)"),
        ("build config is of an app", "INSERT INTO buildConfig VALUES (9, 'A', x'00', 0)"),
        ("config is of an app", "INSERT INTO config VALUES (9, 'A', x'00', 0)"),
        ("a scale is not negative", "INSERT INTO scales VALUES (1, 'web', -1)"),
        ("a quota's scope is one of four", "INSERT INTO quotas (scope) VALUES ('team')"),
        ("a quota of an app is of an app", "INSERT INTO quotas (scope, appID) VALUES ('user', 1)"),
        ("a quota of a user is of a user", "INSERT INTO quotas (scope, userID) VALUES ('app', 1)"),
        ("a quota is not negative", "INSERT INTO quotas (scope, memoryBytes) VALUES ('platform', -1)"),
        ("an app has one quota", "INSERT INTO quotas (scope, appID) VALUES ('app', 1), ('app', 1)"),
        ("the platform has one quota", "INSERT INTO quotas (scope) VALUES ('platform'), ('platform')"),
        ("a scale is at most 100", "INSERT INTO scales VALUES (1, 'web', 101)"),
        (
            "a session ends after it begins",
            "INSERT INTO sessions (userID, hash, createdAt, expiresAt) VALUES (1, zeroblob(32), 5, 5)"
        ),
        (
            "a session of an app hangs on one of the panel",
            "INSERT INTO sessions (userID, appID, hash, createdAt, expiresAt) VALUES (1, 1, zeroblob(32), 0, 1)"
        ),
        ("a push is of an app", "INSERT INTO pushes (appID, ref, afterCommit, state, startedAt) VALUES (9, 'r', 'c', 'waiting', 0)"),
        ("an open push has no end", "UPDATE pushes SET state = 'deploying'"),
        ("an ended push has one", "UPDATE pushes SET endedAt = NULL"),
        ("a build is of a push", "INSERT INTO builds (pushID, treeID, state, startedAt) VALUES (9, 't', 'queued', 0)"),
        ("a running build has no end", "UPDATE builds SET state = 'running'"),
        (
            "a build makes one image",
            "INSERT INTO images (buildID, digest, reference, bytes, formation, createdAt) VALUES (1, 'd', 'r', 1, '[]', 0)"
        ),
        ("a release's image stays", "DELETE FROM images"),
        ("a release's number counts from one", "UPDATE releases SET number = 0"),
        ("a release's number is its own", releaseSQL(number: 1, state: "failed")),
        ("one release of an app is live", releaseSQL(number: 2, state: "live")),
        ("a release's state is one of four", releaseSQL(number: 2, state: "paused")),
        ("a release's cause is one of three", "UPDATE releases SET cause = 'whim'"),
        ("a release has an image", "UPDATE releases SET imageID = 9"),
        (
            "a replica is of a release",
            "INSERT INTO replicas (releaseID, process, ordinal, state, createdAt) VALUES (9, 'web', 1, 'ready', 0)"
        ),
        (
            "a replica counts from one",
            "INSERT INTO replicas (releaseID, process, ordinal, state, createdAt) VALUES (1, 'web', 0, 'ready', 0)"
        ),
        (
            "a replica's state is known",
            "INSERT INTO replicas (releaseID, process, ordinal, state, createdAt) VALUES (1, 'web', 1, 'fine', 0)"
        ),
        ("a host is lower case", "INSERT INTO routes VALUES ('Sales.example.com', 1, 0)"),
        ("a route is of an app", "INSERT INTO routes VALUES ('sales.example.com', 9, 0)"),
    ]

    static func releaseSQL(number: Int, state: String) -> String {
        """
        INSERT INTO releases (appID, number, imageID, sealedConfig, formation, cause, description, state, createdAt)
        VALUES (1, \(number), 1, x'00', '[]', 'push', '', '\(state)', 0)
        """
    }

    @Test(arguments: refused.indices)
    func `the schema refuses what breaks a rule`(index: Int) async throws {
        let (rule, sql) = Self.refused[index]
        try await withReleasedApp { store, _ async throws in
            let error = await #expect(throws: DatabaseError.self, "\(rule)") { try await store.pool.write { try $0.execute(sql: sql) } }
            #expect(error?.resultCode == .SQLITE_CONSTRAINT, "\(rule): \(String(describing: error))")
        }
    }

    @Test func `one release of an app rolls out at a time`() async throws {
        try await withReleasedApp { store, _ async throws in
            try await store.pool.write { try $0.execute(sql: Self.releaseSQL(number: 2, state: "rolling")) }
            await #expect(throws: DatabaseError.self) {
                try await store.pool.write { try $0.execute(sql: Self.releaseSQL(number: 3, state: "rolling")) }
            }
        }
    }

    @Test func `with an app everything of it goes, and nothing of another`() async throws {
        try await withReleasedApp { store, admin async throws in
            let other = try await store.makeApp("other", owner: admin)
            _ = try await store.makeImage(for: other, formation: [])
            try await store.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO config VALUES (1, 'A', x'00', 0);
                        INSERT INTO buildConfig VALUES (1, 'A', x'00', 0);
                        INSERT INTO scales VALUES (1, 'web', 2);
                        INSERT INTO quotas (scope, appID) VALUES ('app', 1);
                        INSERT INTO routes VALUES ('sales.example.com', 1, 0);
                        INSERT INTO collaborators VALUES (1, 1, 'viewer');
                        INSERT INTO replicas (releaseID, process, ordinal, state, createdAt) VALUES (1, 'web', 1, 'ready', 0);
                        INSERT INTO sessions (userID, hash, createdAt, expiresAt) VALUES (1, zeroblob(32), 0, 1);
                        INSERT INTO sessions (userID, parentID, appID, hash, createdAt, expiresAt)
                            VALUES (1, 1, 1, randomblob(32), 0, 1);
                        INSERT INTO oneTimeCodes VALUES (zeroblob(32), 1, 1, zeroblob(32), 1);
                        DELETE FROM apps WHERE id = 1;
                        """)
            }
            let counts = try await store.read { db in
                var counts: [String: Int] = [:]
                for table in try String.fetchAll(
                    db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%\\_%' ESCAPE '\\'")
                {
                    let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM \"\(table)\"") ?? 0
                    if count > 0 { counts[table] = count }
                }
                return counts
            }
            // The user and the panel's session are nobody's but the user's.
            #expect(counts.filter { $0.key != "groups" } == ["users": 1, "sessions": 1, "apps": 1, "pushes": 1, "builds": 1, "images": 1])
        }
    }

    @Test func `a user who goes leaves pushes and releases behind without a name`() async throws {
        try await withReleasedApp { store, _ async throws in
            let (push, release) = try await store.write { db in
                var user = UserRecord(username: "grace", name: "", email: "", role: .developer, createdAt: 0)
                try user.insert(db)
                try db.execute(sql: "UPDATE pushes SET userID = ?; UPDATE releases SET userID = ?", arguments: [user.id, user.id])
                try user.delete(db)
                return (try PushRecord.fetchOne(db), try ReleaseRecord.fetchOne(db))
            }
            #expect(push != nil && push?.userID == nil)
            #expect(release != nil && release?.userID == nil)
        }
    }
}

/// A database with the app `sales` (1) and its live release v1.
func withReleasedApp(_ body: (DataStore, Principal) async throws -> Void) async throws {
    try await withDataStore { store, admin async throws in
        let app = try await store.makeApp("sales", owner: admin)
        _ = try await store.makeImage(for: app, formation: [])
        try await store.write { db in
            try db.execute(sql: SchemaTests.releaseSQL(number: 1, state: "live"))
            try db.execute(sql: "UPDATE apps SET liveReleaseID = 1")
        }
        try await body(store, admin)
    }
}
