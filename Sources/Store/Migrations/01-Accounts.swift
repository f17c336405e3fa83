import GRDB

extension DatabaseMigrator {
    /// Users, groups, tokens.
    mutating func registerAccounts() {
        registerMigration("01 accounts") { db in
            try db.execute(
                sql: """
                    CREATE TABLE users (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        username TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(username) BETWEEN 1 AND 64),
                        name TEXT NOT NULL DEFAULT '',
                        email TEXT NOT NULL DEFAULT '',
                        passwordHash TEXT,
                        role TEXT NOT NULL CHECK (role IN ('admin', 'developer', 'viewer')),
                        createdAt REAL NOT NULL,
                        disabledAt REAL
                    ) STRICT;
                    CREATE TABLE groups (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128)
                    ) STRICT;
                    CREATE TABLE memberships (
                        userID INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
                        groupID INTEGER NOT NULL REFERENCES groups(id) ON DELETE CASCADE,
                        PRIMARY KEY (userID, groupID)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE tokens (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        userID INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
                        name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
                        hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
                        createdAt REAL NOT NULL,
                        lastUsedAt REAL,
                        expiresAt REAL,
                        UNIQUE (userID, name)
                    ) STRICT;
                    """)
        }
    }
}
