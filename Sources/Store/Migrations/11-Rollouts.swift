import GRDB

extension DatabaseMigrator {
    /// What of a rollout outlives the platform's process.
    mutating func registerRollouts() {
        registerMigration("11 rollouts") { db in
            try db.execute(
                sql: """
                    CREATE TABLE canaries (
                        appID INTEGER PRIMARY KEY REFERENCES apps(id) ON DELETE CASCADE,
                        releaseID INTEGER NOT NULL REFERENCES releases(id) ON DELETE CASCADE,
                        percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 99),
                        startedAt REAL
                    ) STRICT;
                    CREATE TABLE rolloutPauses (
                        appID INTEGER PRIMARY KEY REFERENCES apps(id) ON DELETE CASCADE,
                        username TEXT NOT NULL,
                        pausedAt REAL NOT NULL
                    ) STRICT;
                    """)
        }
    }
}
