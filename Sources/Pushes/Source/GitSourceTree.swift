import CGit2
package import Models
import Synchronization

/// The tree of one commit, read with libgit2 from a bare repository and, during a push, its quarantine.
package final class GitSourceTree: SourceTree {
    package let commitID: String
    package let treeID: String
    /// The first line of the commit's message.
    package let subject: String
    private let path: String
    private let quarantine: String?
    private let root: git_oid
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var objects: GitObjects
        var items: [TreeItem]?
    }

    /// - Parameters:
    ///   - repository: path of the bare repository.
    ///   - quarantine: name of the quarantine folder inside its `objects`; nil for a commit that was accepted.
    ///   - commit: hex id.
    /// - Throws: `invalid` where it is not a commit.
    package init(repository: String, quarantine: String? = nil, commit: String) throws(MoorError) {
        let objects = try GitObjects(path: repository, quarantine: quarantine)
        let (root, subject) = try objects.commit(commit)
        path = repository
        self.quarantine = quarantine
        self.root = root
        self.subject = subject
        commitID = commit
        treeID = GitObjects.hex(root)
        state = Mutex(State(objects: objects, items: nil))
    }

    package func entries() throws(MoorError) -> [SourceEntry] {
        try items().compactMap { item in
            let kind: SourceEntry.Kind
            switch item.kind {
            case .folder: return nil
            case .file: kind = .file
            case .executable: kind = .executable
            case .symlink: kind = .symlink
            case .submodule: kind = .submodule
            }
            return SourceEntry(path: item.name, kind: kind, size: item.size, objectID: GitObjects.hex(item.id))
        }
    }

    package func contents(of path: String, limit: Int) throws(MoorError) -> [UInt8]? {
        let wanted = Array(path.utf8)
        guard let item = try items().first(where: { $0.path == wanted }), item.kind == .file || item.kind == .executable else {
            return nil
        }
        guard item.size <= limit else {
            throw MoorError(.invalid, "\(path) is \(item.size) bytes long; \(limit) is the most", hint: "make it shorter")
        }
        return try bytes(of: item)
    }

    package func tar(prefix: String, extra: [TarFile]) -> any AsyncSequence<[UInt8], any Error> & Sendable {
        TarSequence(tree: self, prefix: prefix, extra: extra)
    }

    /// A view of its own of the same objects, for one reader of the tar.
    func open() throws(MoorError) -> GitObjects { try GitObjects(path: path, quarantine: quarantine) }

    func bytes(of item: TreeItem) throws(MoorError) -> [UInt8] {
        try locked { state throws(MoorError) in
            let object = try state.objects.read(item.id)
            return object.bytes(0..<object.count)
        }
    }

    /// Every entry, folders included; read once.
    func items() throws(MoorError) -> [TreeItem] {
        let root = root
        return try locked { state throws(MoorError) in
            if let items = state.items { return items }
            let items = try state.objects.listing(of: root)
            state.items = items
            return items
        }
    }

    private func locked<T: Sendable>(_ body: (inout State) throws(MoorError) -> T) throws(MoorError) -> T {
        let result = state.withLock { state -> Result<T, MoorError> in
            do throws(MoorError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
