import GRDB

extension DatabaseMigrator {
    mutating func registerReleases() {
        registerMigration("05 releases") { db in
            try db.execute(
                sql: """
                    CREATE TABLE releases (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        appID INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
                        number INTEGER NOT NULL CHECK (number >= 1),
                        imageID INTEGER NOT NULL REFERENCES images(id),
                        sealedConfig BLOB NOT NULL,
                        formation TEXT NOT NULL,
                        cause TEXT NOT NULL CHECK (cause IN ('push', 'config', 'rollback')),
                        description TEXT NOT NULL,
                        userID INTEGER REFERENCES users(id) ON DELETE SET NULL,
                        pushID INTEGER REFERENCES pushes(id) ON DELETE SET NULL,
                        state TEXT NOT NULL CHECK (state IN ('rolling', 'live', 'superseded', 'failed')),
                        failure TEXT,
                        createdAt REAL NOT NULL,
                        liveAt REAL,
                        UNIQUE (appID, number)
                    ) STRICT;
                    CREATE UNIQUE INDEX releases_oneLive ON releases(appID) WHERE state = 'live';
                    CREATE UNIQUE INDEX releases_oneRolling ON releases(appID) WHERE state = 'rolling';
                    CREATE INDEX releases_imageID ON releases(imageID);
                    """)
        }
    }
}
