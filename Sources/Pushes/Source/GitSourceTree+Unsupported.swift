package import Models

/// Something in a tree that is not there to be deployed.
package enum UnsupportedEntry: Sendable, Hashable {
    /// A repository of its own (gitsubmodules(7)): its content is not in the push.
    case submodule(path: String)
    /// A Git LFS pointer (its specification, "The Pointer"): the file itself is on an LFS server.
    case lfsPointer(path: String)
    case tooLarge(path: String, bytes: Int64)

    package var path: String {
        switch self {
        case .submodule(let path), .lfsPointer(let path), .tooLarge(let path, _): path
        }
    }
}

extension GitSourceTree {
    /// Entries whose content is not in the tree, or that are larger than `maximumFileBytes`.
    package func unsupported(maximumFileBytes: Int64) throws(MoorError) -> [UnsupportedEntry] {
        var found: [UnsupportedEntry] = []
        for item in try items() {
            switch item.kind {
            case .submodule: found.append(.submodule(path: item.name))
            case .file, .executable:
                if item.size > maximumFileBytes {
                    found.append(.tooLarge(path: item.name, bytes: item.size))
                } else if Self.pointerSizes.contains(item.size), Self.isPointer(try bytes(of: item)) {
                    found.append(.lfsPointer(path: item.name))
                }
            case .symlink, .folder: break
            }
        }
        return found
    }

    /// Pointers are under 1024 bytes by their specification; a version line and an oid line take 100.
    private static let pointerSizes: ClosedRange<Int64> = 100...1024

    private static func isPointer(_ bytes: [UInt8]) -> Bool {
        let versions = ["version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/"]
        guard versions.contains(where: { bytes.starts(with: $0.utf8) }) else { return false }
        return String(decoding: bytes, as: UTF8.self).contains("\noid sha256:")
    }
}

extension MoorError {
    /// Names the first ten of them, by kind, with what to do; nil where there are none.
    static func unsupported(_ entries: [UnsupportedEntry]) -> MoorError? {
        guard !entries.isEmpty else { return nil }
        var reasons: [String] = []
        var hints: [String] = []
        if entries.contains(where: { if case .submodule = $0 { true } else { false } }) {
            reasons.append("submodules")
            hints.append("a submodule's files are not part of a push: git rm it and add its files, or install it as a package")
        }
        if entries.contains(where: { if case .lfsPointer = $0 { true } else { false } }) {
            reasons.append("Git LFS pointers")
            hints.append("the files behind LFS pointers are not part of a push: git lfs migrate export --include=… --everything")
        }
        if entries.contains(where: { if case .tooLarge = $0 { true } else { false } }) {
            reasons.append("files that are too large")
            hints.append("load large data when the app starts instead of keeping it in git")
        }
        var detail = entries.prefix(10).map { entry in
            switch entry {
            case .submodule(let path): "\(path) (submodule)"
            case .lfsPointer(let path): "\(path) (Git LFS pointer)"
            case .tooLarge(let path, let bytes): "\(path) (\(bytes >> 20) MiB)"
            }
        }
        if entries.count > 10 { detail.append("… and \(entries.count - 10) more") }
        return MoorError(
            .appFailed, "the commit holds \(reasons.joined(separator: " and ")), which cannot be deployed",
            hint: hints.joined(separator: "; "), detail: detail)
    }
}
