/// One file of a pushed tree.
package struct SourceEntry: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case file, executable
        /// A symbolic link; its blob is the target.
        case symlink
        /// A submodule (git mode 160000); there is no content.
        case submodule
    }

    /// Slash-separated path from the root, bytes as git has them, decoded as UTF-8 with repair.
    package var path: String
    package var kind: Kind
    /// Bytes; zero for a submodule.
    package var size: Int64
    /// Hex object id of the blob.
    package var objectID: String

    package init(path: String, kind: Kind, size: Int64, objectID: String) {
        self.path = path
        self.kind = kind
        self.size = size
        self.objectID = objectID
    }
}

/// The tree of one commit, read from the repository's objects and never checked out. Pushes implements it with libgit2.
package protocol SourceTree: Sendable {
    /// Hex id of the commit.
    var commitID: String { get }
    /// Hex id of the root tree: equal trees have equal ids.
    var treeID: String { get }
    /// Every entry that is not a directory, in the tree's own order.
    func entries() throws(MoorError) -> [SourceEntry]
    /// The bytes of the file at `path`, following no link; nil where there is none or it is not a regular file.
    /// - Throws: `invalid` where it is larger than `limit` bytes.
    func contents(of path: String, limit: Int) throws(MoorError) -> [UInt8]?
    /// The tree as a POSIX tar (ustar with pax where needed) with fixed times, owners and order, in chunks of at most
    /// 1 MiB: the same tree gives the same bytes. `prefix` (such as "app/") is put before each path; `extra` files come
    /// first, as they are. The closing two zero blocks are included.
    func tar(prefix: String, extra: [TarFile]) -> any AsyncSequence<[UInt8], any Error> & Sendable
}

/// A file that is put into a build context beside the pushed tree.
package struct TarFile: Sendable {
    package var path: String
    package var contents: [UInt8]
    package var isExecutable: Bool

    package init(path: String, contents: [UInt8], isExecutable: Bool = false) {
        self.path = path
        self.contents = contents
        self.isExecutable = isExecutable
    }
}
