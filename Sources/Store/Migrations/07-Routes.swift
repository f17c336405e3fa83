import GRDB

extension DatabaseMigrator {
    mutating func registerRoutes() {
        registerMigration("07 routes") { db in
            try db.execute(
                sql: """
                    CREATE TABLE routes (
                        host TEXT PRIMARY KEY CHECK (host = lower(host)),
                        appID INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
                        createdAt REAL NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX routes_appID ON routes(appID);
                    """)
        }
    }
}
