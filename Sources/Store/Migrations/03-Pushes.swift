import GRDB

extension DatabaseMigrator {
    mutating func registerPushes() {
        registerMigration("03 pushes") { db in
            try db.execute(
                sql: """
                    CREATE TABLE pushes (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        appID INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
                        userID INTEGER REFERENCES users(id) ON DELETE SET NULL,
                        ref TEXT NOT NULL,
                        beforeCommit TEXT,
                        afterCommit TEXT NOT NULL,
                        subject TEXT NOT NULL DEFAULT '',
                        state TEXT NOT NULL CHECK (state IN ('waiting', 'deploying', 'accepted', 'rejected', 'cancelled')),
                        failure TEXT,
                        startedAt REAL NOT NULL,
                        endedAt REAL,
                        CHECK ((endedAt IS NULL) = (state IN ('waiting', 'deploying')))
                    ) STRICT;
                    CREATE INDEX pushes_appID ON pushes(appID, id);
                    CREATE INDEX pushes_open ON pushes(state) WHERE endedAt IS NULL;
                    """)
        }
    }
}
