import CGit2
import Glibc
import Models

/// libgit2's view of one repository's objects.
///
/// Invariant: libgit2's handles are used by one thread at a time. The type cannot be copied, so whoever holds it holds
/// them alone; it travels between threads only inside a `Mutex`.
@safe struct GitObjects: ~Copyable {
    private let repository: OpaquePointer
    private let odb: OpaquePointer

    /// Once a process. Windows and caches are small: a tree is read once, front to back.
    private static let start: Int32 = {
        let started = git_libgit2_init()
        return started < 0 ? started : moor_git_configure(16 << 20, 256 << 20, 16 << 20)
    }()

    /// - Parameters:
    ///   - path: of a bare repository.
    ///   - quarantine: name of the folder inside its `objects` that holds a push not yet accepted (git-receive-pack(1),
    ///     "Quarantine environment").
    init(path: String, quarantine: String? = nil) throws(MoorError) {
        guard Self.start >= 0 else { throw Self.failure("libgit2 could not be started") }
        var repository: OpaquePointer?
        // SAFETY: libgit2 fills the pointer where it returns 0.
        guard unsafe git_repository_open_bare(&repository, path) == 0, let repository = unsafe repository else {
            throw Self.failure("the app's repository could not be opened")
        }
        var odb: OpaquePointer?
        // SAFETY: as above; freed here where it fails, for deinit does not run then.
        guard unsafe git_repository_odb(&odb, repository) == 0, let odb = unsafe odb else {
            let failure = Self.failure("the app's objects could not be opened")
            unsafe git_repository_free(repository)
            throw failure
        }
        // SAFETY: the odb copies the path.
        if let quarantine, unsafe git_odb_add_disk_alternate(odb, "\(path)/objects/\(quarantine)") != 0 {
            let failure = Self.failure("the pushed objects could not be opened")
            unsafe git_odb_free(odb)
            unsafe git_repository_free(repository)
            throw failure
        }
        unsafe self.repository = unsafe repository
        unsafe self.odb = unsafe odb
    }

    deinit {
        // SAFETY: made in init, freed once; streams made from them are freed before (TarState).
        unsafe git_odb_free(odb)
        unsafe git_repository_free(repository)
    }

    /// What the ref points to, in hex; nil where there is none.
    func target(of ref: String) -> String? {
        var id = git_oid()
        // SAFETY: libgit2 fills id where it returns 0.
        guard unsafe git_reference_name_to_id(&id, repository, ref) == 0 else { return nil }
        return Self.hex(id)
    }

    /// The commit's tree and first line.
    /// - Throws: `invalid` where it is not a commit: git would refuse to put anything else on a branch, but only after the hook.
    func commit(_ hex: String) throws(MoorError) -> (treeID: git_oid, subject: String) {
        var id = git_oid()
        var commit: OpaquePointer?
        // SAFETY: libgit2 fills both where it returns 0.
        guard unsafe git_oid_fromstr(&id, hex) == 0, unsafe git_commit_lookup(&commit, repository, &id) == 0,
            let commit = unsafe commit
        else {
            throw MoorError(
                .invalid, "\(hex.prefix(12)) is not a commit, so it cannot be deployed",
                hint: "for a tag, push the commit it stands for: git push <remote> <tag>^{commit}:main")
        }
        // SAFETY: the strings and ids live as long as the commit; they are copied before it is freed.
        defer { unsafe git_commit_free(commit) }
        let subject = unsafe git_commit_summary(commit).map { unsafe String(cString: $0) } ?? ""
        return (unsafe git_commit_tree_id(commit).pointee, String(subject.prefix(200)))
    }

    /// The entries of one tree, in its order.
    func children(of treeID: git_oid) throws(MoorError) -> [(name: [UInt8], mode: UInt32, id: git_oid)] {
        var id = treeID
        var tree: OpaquePointer?
        // SAFETY: libgit2 fills the pointer where it returns 0; entries live as long as the tree and are copied.
        guard unsafe git_tree_lookup(&tree, repository, &id) == 0, let tree = unsafe tree else {
            throw Self.failure("a folder of the pushed commit could not be read")
        }
        defer { unsafe git_tree_free(tree) }
        return unsafe (0..<git_tree_entrycount(tree)).map { index in
            let entry = unsafe git_tree_entry_byindex(tree, index)
            let name = unsafe git_tree_entry_name(entry)!
            let bytes = unsafe UnsafeRawBufferPointer(start: name, count: strlen(name))
            return unsafe (Array(bytes), git_tree_entry_filemode_raw(entry).rawValue, git_tree_entry_id(entry).pointee)
        }
    }

    /// Bytes of the object.
    func size(of objectID: git_oid) throws(MoorError) -> Int64 {
        var id = objectID
        var size = 0
        var type = GIT_OBJECT_INVALID
        // SAFETY: libgit2 fills both where it returns 0.
        guard unsafe git_odb_read_header(&size, &type, odb, &id) == 0 else {
            throw Self.failure("a file of the pushed commit is missing from the repository")
        }
        return Int64(size)
    }

    /// The whole object.
    func read(_ objectID: git_oid) throws(MoorError) -> GitObject {
        var id = objectID
        var object: OpaquePointer?
        // SAFETY: libgit2 fills the pointer where it returns 0; GitObject frees it.
        guard unsafe git_odb_read(&object, odb, &id) == 0, let object = unsafe object else {
            throw Self.failure("a file of the pushed commit could not be read")
        }
        return unsafe GitObject(object)
    }

    /// A stream of the object; nil where it lies in a pack, from which libgit2 cannot stream.
    func stream(_ objectID: git_oid) -> UnsafeMutablePointer<git_odb_stream>? {
        var id = objectID
        var stream: UnsafeMutablePointer<git_odb_stream>?
        var size = 0
        var type = GIT_OBJECT_INVALID
        // SAFETY: libgit2 fills all where it returns 0; whoever asked frees the stream before this value.
        guard unsafe git_odb_open_rstream(&stream, &size, &type, odb, &id) == 0 else { return nil }
        return unsafe stream
    }

    static func hex(_ id: git_oid) -> String {
        // SAFETY: a git_oid is 20 plain bytes.
        unsafe withUnsafeBytes(of: id) { bytes in
            let digits = Array("0123456789abcdef".utf8)
            return String(decoding: unsafe bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        }
    }

    static func failure(_ message: String) -> MoorError {
        // SAFETY: the thread's last error, copied at once.
        let reason = unsafe git_error_last().map { unsafe String(cString: $0.pointee.message) } ?? "unknown"
        return MoorError(.internalError, message, hint: "the platform's log has the cause", cause: GitFailure(reason: reason))
    }

    private struct GitFailure: Error { var reason: String }
}

/// An object that libgit2 holds in memory, freed with this value.
@safe final class GitObject {
    private let object: OpaquePointer

    init(_ object: OpaquePointer) { unsafe self.object = unsafe object }
    // SAFETY: made by git_odb_read, freed once.
    deinit { unsafe git_odb_object_free(object) }

    var count: Int { unsafe git_odb_object_size(object) }

    /// A copy of the bytes in `range`.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        precondition(range.upperBound <= count)
        // SAFETY: the object's data is `count` bytes, and the range lies within.
        return unsafe Array(UnsafeRawBufferPointer(start: git_odb_object_data(object), count: count)[range])
    }
}
