import CGit2
import Models

/// One entry of a tree as git has it, folders included.
struct TreeItem: Sendable {
    enum Kind: Sendable { case file, executable, symlink, submodule, folder }

    /// From the root, slash-separated, the very bytes.
    var path: [UInt8]
    var kind: Kind
    /// Bytes of a blob, else zero.
    var size: Int64
    var id: git_oid

    var name: String { String(decoding: path, as: UTF8.self) }
}

extension GitObjects {
    /// Entries that one tree may have: bounds memory where a few small objects unfold to very many files.
    static let maximumItems = 200_000
    private static let maximumDepth = 100

    /// Everything in the tree, depth first, in its order.
    /// - Throws: `invalid` for a name that could lead out of a folder it is unpacked into (git's own fsck refuses most), or
    ///   for more than the platform takes.
    func listing(of root: git_oid) throws(MoorError) -> [TreeItem] {
        var items: [TreeItem] = []
        try list(root, at: [], depth: 0, into: &items)
        return items
    }

    private func list(_ tree: git_oid, at folder: [UInt8], depth: Int, into items: inout [TreeItem]) throws(MoorError) {
        for (name, mode, id) in try children(of: tree) {
            guard Self.isSafe(name) else {
                let path = String(decoding: folder + name, as: UTF8.self).filter { !$0.isNewline }
                throw MoorError(.invalid, "“\(path.prefix(200))” cannot be a file's name", hint: "rename it and commit again")
            }
            let path = folder + name
            guard items.count < Self.maximumItems, depth < Self.maximumDepth, path.count <= 4000 else {
                throw MoorError(
                    .invalid, "the commit has more than \(Self.maximumItems) files, or its folders are nested too deep",
                    hint: "keep data and installed packages out of git (see .gitignore)")
            }
            switch mode & 0o170000 {
            case 0o040000:
                items.append(TreeItem(path: path, kind: .folder, size: 0, id: id))
                try list(id, at: path + [0x2F], depth: depth + 1, into: &items)
            case 0o160000: items.append(TreeItem(path: path, kind: .submodule, size: 0, id: id))
            case 0o120000: items.append(TreeItem(path: path, kind: .symlink, size: try size(of: id), id: id))
            default:
                items.append(TreeItem(path: path, kind: mode & 0o100 != 0 ? .executable : .file, size: try size(of: id), id: id))
            }
        }
    }

    static func isSafe(_ name: [UInt8]) -> Bool {
        let refused: Set<String> = ["", ".", "..", ".git"]
        return !name.contains(0x2F) && !name.contains(0) && !refused.contains(String(decoding: name, as: UTF8.self).lowercased())
    }
}
