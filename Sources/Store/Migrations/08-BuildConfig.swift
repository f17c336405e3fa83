import GRDB

extension DatabaseMigrator {
    /// Values that builds are given and replicas are not.
    mutating func registerBuildConfig() {
        registerMigration("08 build config") { db in
            try db.execute(
                sql: """
                    CREATE TABLE buildConfig (
                        appID INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
                        key TEXT NOT NULL CHECK (key GLOB '[A-Za-z_]*' AND key NOT GLOB '*[^A-Za-z0-9_]*'),
                        sealedValue BLOB NOT NULL,
                        updatedAt REAL NOT NULL,
                        PRIMARY KEY (appID, key)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
    }
}
