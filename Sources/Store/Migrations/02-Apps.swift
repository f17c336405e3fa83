import GRDB

extension DatabaseMigrator {
    /// Apps, who belongs to them, their config; sessions, which may be of one app.
    mutating func registerApps() {
        registerMigration("02 apps") { db in
            try db.execute(
                sql: """
                    CREATE TABLE apps (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        name TEXT NOT NULL UNIQUE CHECK (name GLOB '[a-z]*' AND name NOT GLOB '*[^a-z0-9-]*' AND length(name) <= 40),
                        ownerID INTEGER NOT NULL REFERENCES users(id),
                        access TEXT NOT NULL DEFAULT 'signed-in' CHECK (access IN ('public', 'signed-in', 'named')),
                        deployBranch TEXT,
                        liveReleaseID INTEGER REFERENCES releases(id),
                        createdAt REAL NOT NULL,
                        deletingAt REAL
                    ) STRICT;
                    CREATE INDEX apps_ownerID ON apps(ownerID);
                    CREATE TABLE collaborators (
                        appID INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
                        userID INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
                        role TEXT NOT NULL CHECK (role IN ('viewer', 'collaborator')),
                        PRIMARY KEY (appID, userID)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX collaborators_userID ON collaborators(userID);
                    CREATE TABLE config (
                        appID INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
                        key TEXT NOT NULL CHECK (key GLOB '[A-Za-z_]*' AND key NOT GLOB '*[^A-Za-z0-9_]*'),
                        sealedValue BLOB NOT NULL,
                        updatedAt REAL NOT NULL,
                        PRIMARY KEY (appID, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE scales (
                        appID INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
                        process TEXT NOT NULL,
                        replicas INTEGER NOT NULL CHECK (replicas BETWEEN 0 AND 100),
                        PRIMARY KEY (appID, process)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE sessions (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        userID INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
                        parentID INTEGER REFERENCES sessions(id) ON DELETE CASCADE,
                        appID INTEGER REFERENCES apps(id) ON DELETE CASCADE,
                        hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
                        createdAt REAL NOT NULL,
                        expiresAt REAL NOT NULL CHECK (expiresAt > createdAt),
                        CHECK ((parentID IS NULL) = (appID IS NULL))
                    ) STRICT;
                    CREATE INDEX sessions_userID ON sessions(userID);
                    CREATE INDEX sessions_parentID ON sessions(parentID);
                    CREATE TABLE oneTimeCodes (
                        hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
                        sessionID INTEGER NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
                        appID INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
                        stateHash BLOB NOT NULL CHECK (length(stateHash) = 32),
                        expiresAt REAL NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
    }
}
