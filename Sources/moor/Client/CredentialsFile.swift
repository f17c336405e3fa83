import Foundation
import Models

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The platforms that the person is signed in to: `${XDG_CONFIG_HOME:-~/.config}/moorage/credentials.json`, readable by them alone.
struct CredentialsFile: Sendable {
    struct Entry: Codable, Equatable, Sendable {
        /// The platform's origin.
        var url: String
        var username: String
        var token: String
        /// What the platform calls the token; nil for one that was made elsewhere.
        var tokenName: String?
    }

    private struct Contents: Codable {
        /// The origin that is meant where nothing says which.
        var current: String?
        var platforms: [Entry] = []
    }

    let path: URL

    /// - Parameter environment: for `XDG_CONFIG_HOME` and `HOME`.
    init(environment: [String: String]) {
        // The XDG base directory specification has relative paths ignored.
        let configured = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? URL(filePath: $0) : nil }
        let home = environment["HOME"].map { URL(filePath: $0) } ?? FileManager.default.homeDirectoryForCurrentUser
        path = (configured ?? home.appending(path: ".config")).appending(path: "moorage/credentials.json")
    }

    func entry(for origin: Origin) throws(MoorError) -> Entry? {
        try load().platforms.first { $0.url == origin.description }
    }

    /// The platform signed in to last.
    func current() throws(MoorError) -> Origin? {
        guard let url = try load().current else { return nil }
        return try Origin(url)
    }

    /// Adds or replaces what is known of a platform and makes it the current one.
    func save(_ entry: Entry) throws(MoorError) {
        var contents = try load()
        contents.platforms.removeAll { $0.url == entry.url }
        contents.platforms.append(entry)
        contents.current = entry.url
        try store(contents)
    }

    /// - Returns: what was known of it.
    func remove(_ origin: Origin) throws(MoorError) -> Entry? {
        var contents = try load()
        guard let entry = contents.platforms.first(where: { $0.url == origin.description }) else { return nil }
        contents.platforms.removeAll { $0.url == entry.url }
        if contents.current == entry.url { contents.current = contents.platforms.last?.url }
        try store(contents)
        return entry
    }

    private func load() throws(MoorError) -> Contents {
        let data: Data
        do { data = try Data(contentsOf: path) } catch CocoaError.fileReadNoSuchFile { return Contents() } catch {
            throw MoorError(.unavailable, "\(path.path) cannot be read", hint: "check who owns it", cause: error)
        }
        let mode = try? FileManager.default.attributesOfItem(atPath: path.path)[.posixPermissions] as? Int
        if let mode, mode & 0o077 != 0 {
            Console.note("warning: others could read \(path.path); they no longer can, but think about revoking its tokens")
            try? FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path.path)
        }
        do { return try JSONDecoder().decode(Contents.self, from: data) } catch {
            throw MoorError(.invalid, "\(path.path) is damaged", hint: "remove it and sign in again", cause: error)
        }
    }

    /// Writes beside and renames, so that the file is whole at every moment and never anyone else's to read.
    private func store(_ contents: Contents) throws(MoorError) {
        do {
            let folder = path.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let data = try encoder.encode(contents)
            let draft = folder.appending(path: ".credentials-\(UUID().uuidString)")
            // O_EXCL with the mode given at creation: there is no moment at which others may open it. The path is only read.
            let descriptor = unsafe open(draft.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            do {
                try file.write(contentsOf: data + Data("\n".utf8))
                try file.synchronize()
                try file.close()
                // Both paths are only read.
                guard unsafe rename(draft.path, path.path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            } catch {
                _ = unsafe unlink(draft.path)
                throw error
            }
        } catch {
            throw MoorError(
                .unavailable, "\(path.path) cannot be written", hint: "check the folder's permissions and the disk", cause: error)
        }
    }
}
