import Foundation
package import GRDB
package import Models

/// The platform's SQLite database: one file, WAL, `synchronous=FULL`, foreign keys on.
package struct DataStore: Sendable {
    /// One writer and several readers; SQLite's own locking, through GRDB.
    package let pool: DatabasePool

    /// Opens (and creates or migrates) the database at `path`.
    /// - Throws: `unavailable` where the file cannot be opened, is from a newer version, or the disk is full.
    package init(path: String) throws(MoorError) {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(10)
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB sets NORMAL on a pool's writer after it has prepared it; a commit must outlive a power cut.
            try pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
            let migrator = Self.migrator
            if try pool.read(migrator.hasBeenSuperseded) {
                throw MoorError(
                    .unavailable, "the database \(path) was written by a newer version of moor",
                    hint: "start the newer version, or restore the backup from before the upgrade")
            }
            try migrator.migrate(pool)
        } catch let error as MoorError {
            throw error
        } catch {
            throw .database(error)
        }
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerAccounts()
        migrator.registerApps()
        migrator.registerPushes()
        migrator.registerBuilds()
        migrator.registerReleases()
        migrator.registerReplicas()
        migrator.registerRoutes()
        migrator.registerBuildConfig()
        migrator.registerLayers()
        migrator.registerResources()
        migrator.registerRollouts()
        return migrator
    }

    /// Reads from one consistent snapshot.
    package func read<T: Sendable>(_ body: @Sendable @escaping (Database) throws -> T) async throws(MoorError) -> T {
        do { return try await pool.read(body) } catch { throw .database(error) }
    }

    /// One transaction: all of it or nothing.
    package func write<T: Sendable>(_ body: @Sendable @escaping (Database) throws -> T) async throws(MoorError) -> T {
        do { return try await pool.write(body) } catch { throw .database(error) }
    }
}

extension MoorError {
    /// A database error as one for people; a `MoorError` thrown inside a transaction, and cancellation, as they are.
    package static func database(_ error: any Error) -> MoorError {
        guard let error = error as? DatabaseError else { return .wrapping(error, "the database could not be used") }
        return switch error.resultCode {
        case .SQLITE_FULL:
            MoorError(.unavailable, "the disk that holds the platform's data is full", hint: "free some space and try again", cause: error)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            MoorError(.unavailable, "the database is busy", hint: "try again", cause: error)
        case .SQLITE_CANTOPEN, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_PERM:
            MoorError(
                .unavailable, "the platform's database cannot be read or written", hint: "check the data folder's disk and permissions",
                cause: error)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            MoorError(.unavailable, "the platform's database is damaged", hint: "restore a backup", cause: error)
        default:
            MoorError(.internalError, "the database refused the change", hint: "the platform's log has the cause", cause: error)
        }
    }
}

/// Seconds since 1970, as every `…At` column holds them.
package func now() -> Double { Date().timeIntervalSince1970 }
