import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@Suite struct DataStoreTests {
    @Test func `opening a database again changes nothing in it`() async throws {
        try await withDataStore { store, admin async throws in
            _ = try await store.makeApp("sales", owner: admin)
            let schema = try await store.schema()
            let again = try DataStore(path: store.pool.path)
            #expect(try await again.schema() == schema)
            let count = try await again.read { try AppRecord.fetchCount($0) }
            #expect(count == 1)
        }
    }

    @Test func `a database of a newer version is refused and left as it is`() async throws {
        try await withDataStore { store, _ async throws in
            try await store.pool.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 the future')") }
            let error = #expect(throws: MoorError.self) { try DataStore(path: store.pool.path) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("newer version") == true)
        }
    }

    @Test func `a file that is not a database, and a folder that is not there, are refused with what to do`() async throws {
        try await withScratchFolder { folder in
            let file = folder.appending(path: "moor.sqlite")
            try Data(String(repeating: "not a database ", count: 100).utf8).write(to: file)
            for path in [file.path, folder.appending(path: "missing/moor.sqlite").path] {
                let error = #expect(throws: MoorError.self) { try DataStore(path: path) }
                #expect(error?.code == .unavailable)
                #expect(error?.hint != nil)
            }
        }
    }

    @Test func `it writes ahead, synchronises fully and keeps foreign keys`() async throws {
        try await withDataStore { store, _ async throws in
            let settings = try await store.write { db in
                [
                    try String.fetchOne(db, sql: "PRAGMA journal_mode"), try String.fetchOne(db, sql: "PRAGMA synchronous"),
                    try String.fetchOne(db, sql: "PRAGMA foreign_keys"),
                ]
            }
            #expect(settings == ["wal", "2", "1"])
        }
    }

    @Test func `a transaction that throws leaves nothing behind, and its error comes as it is`() async throws {
        try await withDataStore { store, admin async throws in
            let mine = MoorError(.conflict, "no", hint: "do otherwise")
            let error = await refused {
                try await store.write { db in
                    var app = AppRecord(name: try AppName(validating: "sales"), ownerID: admin.userID, access: .public, createdAt: 0)
                    try app.insert(db)
                    throw mine
                }
            }
            #expect(error == mine)
            let count = try await store.read { try AppRecord.fetchCount($0) }
            #expect(count == 0)
        }
    }

    @Test(arguments: [
        (ResultCode.SQLITE_FULL, MoorError.Code.unavailable, "disk"), (.SQLITE_BUSY, .unavailable, "busy"),
        (.SQLITE_IOERR, .unavailable, "cannot be read"), (.SQLITE_CORRUPT, .unavailable, "damaged"),
        (.SQLITE_CONSTRAINT, .internalError, "refused"),
    ])
    func `what the database says reaches people in their words`(result: ResultCode, code: MoorError.Code, word: String) {
        let error = MoorError.database(DatabaseError(resultCode: result))
        #expect(error.code == code)
        #expect(error.message.contains(word))
        #expect(error.hint != nil && error.cause != nil)
    }

    @Test func `an app is found by name until its removal has begun`() async throws {
        try await withDataStore { store, admin async throws in
            let app = try await store.makeApp("sales", owner: admin)
            let before = try await store.read { try AppRecord.named(app.name, $0)?.id }
            #expect(before == app.id)
            try await store.write { try $0.execute(sql: "UPDATE apps SET deletingAt = 1") }
            let after = try await store.read { try AppRecord.named(app.name, $0)?.id }
            #expect(after == nil)
        }
    }

    @Test func `who a user is to an app decides what they may do`() async throws {
        try await withDataStore { store, admin async throws in
            let app = try await store.makeApp("sales", owner: admin)
            let people = try await store.write { db in
                try ["collaborator", "viewer", "stranger"].map { name in
                    var user = UserRecord(username: name, name: "", email: "", role: .developer, createdAt: 0)
                    try user.insert(db)
                    if let role = AppRole(rawValue: name) {
                        try CollaboratorRecord(appID: app.id!, userID: user.id!, role: role).insert(db)
                    }
                    return Principal(userID: user.id!, username: name, role: .developer, means: .password)
                }
            }
            let owner = Principal(userID: admin.userID, username: "ada", role: .developer, means: .password)
            let roles = try await store.read { db in
                try ([owner] + people).map { try AppRecord.role(of: $0.userID, in: app, db) }
            }
            #expect(roles == [.owner, .collaborator, .viewer, nil])
            let mayOperate = try await store.read { db in
                try ([owner] + people).map { try AppRecord.allows(.operate, $0, app, db) } + [try AppRecord.allows(.operate, nil, app, db)]
            }
            #expect(mayOperate == [true, true, false, false, false])
        }
    }
}

extension DataStore {
    func schema() async throws -> [String] {
        try await read { db in try String.fetchAll(db, sql: "SELECT coalesce(sql, name) FROM sqlite_master ORDER BY name") }
    }
}
