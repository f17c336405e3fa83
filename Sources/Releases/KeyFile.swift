import Crypto
import Foundation
import Models

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file of the key that everything sealed hangs on.
enum KeyFile {
    static let length = 32

    /// Reads the key; makes it where there is none and `mayCreate` says that nothing is sealed yet.
    ///
    /// Made whole or not at all: written beside, synchronised and linked into place, so that of two that make it at once
    /// both end up with the same one.
    static func load(path: String, mayCreate: Bool) throws(MoorError) -> SymmetricKey {
        do {
            if !FileManager.default.fileExists(atPath: path) {
                guard mayCreate else {
                    throw MoorError(
                        .unavailable, "the key file \(path) is missing, and config in the database is sealed with it",
                        hint: "restore the key file that belongs to this database")
                }
                try create(path: path)
            }
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let permissions = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o777
            guard attributes[.type] as? FileAttributeType == .typeRegular, permissions & 0o077 == 0 else {
                throw MoorError(
                    .unavailable, "the key file \(path) is not a file that its owner alone can read", hint: "chmod 600 \(path)")
            }
            let bytes = try Data(contentsOf: URL(filePath: path))
            guard bytes.count == length else {
                throw MoorError(
                    .unavailable, "the key file \(path) holds \(bytes.count) bytes instead of \(length)",
                    hint: "restore the key file that belongs to this database")
            }
            return SymmetricKey(data: bytes)
        } catch let error as MoorError {
            throw error
        } catch {
            throw MoorError(
                .unavailable, "the key file \(path) cannot be read or made", hint: "check the data folder's disk and permissions",
                cause: error)
        }
    }

    private static func create(path: String) throws {
        let temporary = "\(path).\(UUID().uuidString)"
        // unsafe: the C string lives for the call, which is all that open needs.
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        // unsafe: as above.
        defer { _ = unsafe unlink(temporary) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        // unsafe: copied while the key's bytes are borrowed.
        try file.write(contentsOf: unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Data($0) })
        try file.synchronize()
        try file.close()
        // unsafe: as above. Somebody else's key that came first stays.
        if unsafe link(temporary, path) != 0, errno != EEXIST { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        // The name must outlive a power cut as well as the bytes do, before anything is sealed with them. unsafe: as above.
        let folder = unsafe open(URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { _ = close(folder) }
        guard fsync(folder) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}
