import GRDB

extension DatabaseMigrator {
    mutating func registerReplicas() {
        registerMigration("06 replicas") { db in
            try db.execute(
                sql: """
                    CREATE TABLE replicas (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        releaseID INTEGER NOT NULL REFERENCES releases(id) ON DELETE CASCADE,
                        process TEXT NOT NULL,
                        ordinal INTEGER NOT NULL CHECK (ordinal >= 1),
                        containerID TEXT UNIQUE,
                        state TEXT NOT NULL CHECK (state IN ('starting', 'ready', 'backing-off', 'unhealthy', 'stopping')),
                        restarts INTEGER NOT NULL DEFAULT 0,
                        createdAt REAL NOT NULL
                    ) STRICT;
                    CREATE INDEX replicas_releaseID ON replicas(releaseID);
                    """)
        }
    }
}
