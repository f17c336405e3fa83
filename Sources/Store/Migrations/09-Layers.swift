import GRDB

extension DatabaseMigrator {
    /// What an app's image stands on, and what is installed in it.
    mutating func registerLayers() {
        registerMigration("09 layers") { db in
            try db.execute(
                sql: """
                    ALTER TABLE builds ADD COLUMN layer TEXT;
                    ALTER TABLE builds ADD COLUMN layerID TEXT;
                    CREATE TABLE inventories (
                        layerID TEXT PRIMARY KEY,
                        document BLOB NOT NULL,
                        createdAt REAL NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
    }
}
