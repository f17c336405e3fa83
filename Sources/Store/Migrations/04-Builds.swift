import GRDB

extension DatabaseMigrator {
    /// Builds and the images they made.
    mutating func registerBuilds() {
        registerMigration("04 builds") { db in
            try db.execute(
                sql: """
                    CREATE TABLE builds (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        pushID INTEGER NOT NULL REFERENCES pushes(id) ON DELETE CASCADE,
                        treeID TEXT NOT NULL,
                        buildpack TEXT,
                        reason TEXT,
                        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
                        failure TEXT,
                        startedAt REAL NOT NULL,
                        endedAt REAL,
                        CHECK ((endedAt IS NULL) = (state IN ('queued', 'running')))
                    ) STRICT;
                    CREATE INDEX builds_pushID ON builds(pushID);
                    CREATE INDEX builds_open ON builds(state) WHERE endedAt IS NULL;
                    CREATE TABLE images (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        buildID INTEGER NOT NULL UNIQUE REFERENCES builds(id) ON DELETE CASCADE,
                        digest TEXT NOT NULL,
                        reference TEXT NOT NULL,
                        bytes INTEGER NOT NULL,
                        formation TEXT NOT NULL,
                        createdAt REAL NOT NULL,
                        removedAt REAL
                    ) STRICT;
                    """)
        }
    }
}
