import Crypto
package import Models

/// A tree that a test writes down, in place of a pushed one.
package struct InMemorySourceTree: SourceTree {
    package var commitID: String
    package var treeID: String
    private let files: [(path: String, contents: [UInt8])]
    /// What is only listed: the tar is without it.
    private let others: [SourceEntry]

    /// - Parameter files: contents by path; in the order of paths, as git has them.
    package init(_ files: [String: String]) { self.init(bytes: files.mapValues { Array($0.utf8) }) }

    /// - Parameters:
    ///   - links: targets of symbolic links by path.
    ///   - blank: sizes by path of files that nobody may read whole; they hold nothing but zeros.
    package init(
        bytes files: [String: [UInt8]], links: [String: String] = [:], submodules: [String] = [], blank: [String: Int64] = [:]
    ) {
        let id = String(repeating: "0", count: 40)
        others =
            links.sorted { $0.key < $1.key }.map {
                SourceEntry(path: $0.key, kind: .symlink, size: Int64($0.value.utf8.count), objectID: id)
            } + submodules.sorted().map { SourceEntry(path: $0, kind: .submodule, size: 0, objectID: id) }
            + blank.sorted { $0.key < $1.key }.map { SourceEntry(path: $0.key, kind: .file, size: $0.value, objectID: id) }
        self.files = files.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let tar = TarArchive.bytes(of: self.files.map { TarFile(path: $0.path, contents: $0.contents) })
        // Equal trees have equal ids, which is all that is asked of one here.
        treeID = Self.hex(Array(Insecure.SHA1.hash(data: tar)))
        commitID = treeID
    }

    package func entries() throws(MoorError) -> [SourceEntry] {
        files.map {
            SourceEntry(
                path: $0.path, kind: .file, size: Int64($0.contents.count), objectID: Self.hex(Array(Insecure.SHA1.hash(data: $0.contents)))
            )
        } + others
    }

    package func contents(of path: String, limit: Int) throws(MoorError) -> [UInt8]? {
        if let blank = others.first(where: { $0.path == path && $0.kind == .file }) {
            guard blank.size <= Int64(limit) else { throw MoorError(.invalid, "\(path) is larger than \(limit) bytes") }
            return [UInt8](repeating: 0, count: Int(blank.size))
        }
        guard let file = files.first(where: { $0.path == path }) else { return nil }
        guard file.contents.count <= limit else { throw MoorError(.invalid, "\(path) is larger than \(limit) bytes") }
        return file.contents
    }

    package func tar(prefix: String, extra: [TarFile]) -> any AsyncSequence<[UInt8], any Error> & Sendable {
        let files = self.files
        return AsyncThrowingStream { stream in
            for file in extra { stream.yield(Self.member(file)) }
            for file in files { stream.yield(Self.member(TarFile(path: prefix + file.path, contents: file.contents))) }
            stream.yield([UInt8](repeating: 0, count: 1024))
            stream.finish()
        }
    }

    private static func member(_ file: TarFile) -> [UInt8] {
        var bytes: [UInt8] = []
        TarArchive.append(file, to: &bytes)
        return bytes
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
