import GRDB

extension DatabaseMigrator {
    /// What people set for a release's processes, and the ceilings that admins set.
    mutating func registerResources() {
        registerMigration("10 resources") { db in
            try db.execute(
                sql: """
                    ALTER TABLE releases ADD COLUMN wishes TEXT;
                    CREATE TABLE quotas (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        scope TEXT NOT NULL CHECK (scope IN ('replica', 'app', 'user', 'platform')),
                        appID INTEGER UNIQUE REFERENCES apps(id) ON DELETE CASCADE CHECK (appID IS NULL OR scope = 'app'),
                        userID INTEGER UNIQUE REFERENCES users(id) ON DELETE CASCADE CHECK (userID IS NULL OR scope = 'user'),
                        cpuMillis INTEGER CHECK (cpuMillis >= 0),
                        memoryBytes INTEGER CHECK (memoryBytes >= 0),
                        gpus INTEGER CHECK (gpus >= 0),
                        replicas INTEGER CHECK (replicas >= 0),
                        apps INTEGER CHECK (apps >= 0)
                    ) STRICT;
                    CREATE UNIQUE INDEX quotas_everyone ON quotas(scope) WHERE appID IS NULL AND userID IS NULL;
                    """)
        }
    }
}
