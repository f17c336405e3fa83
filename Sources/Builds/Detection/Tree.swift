import Foundation
import Models

/// A source tree as detection reads it: which paths are there, and small text files.
struct Tree: Sendable {
    let source: any SourceTree
    /// Regular files and executables by path.
    let files: [String: SourceEntry]
    /// In the tree's own order.
    let paths: [String]
    let hasOtherKinds: Set<String>

    init(_ source: any SourceTree) throws(MoorError) {
        self.source = source
        let entries = try source.entries()
        let regular = entries.filter { $0.kind == .file || $0.kind == .executable }
        files = Dictionary(regular.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        paths = regular.map(\.path)
        hasOtherKinds = Set(entries.filter { $0.kind == .symlink || $0.kind == .submodule }.map(\.path))
    }

    func has(_ path: String) -> Bool { files[path] != nil }

    func hasFolder(_ path: String) -> Bool { path.isEmpty || paths.contains { $0.hasPrefix(path + "/") } }

    /// Text files that people write by hand are far smaller.
    static let textLimit = 1 << 20
    /// Lock files are written by programs.
    static let lockLimit = 16 << 20

    /// The file as text, a byte order mark taken off; UTF-16 is read where a mark says so, as pip does (PowerShell's
    /// `pip freeze > requirements.txt` writes it).
    /// - Parameter limit: bytes.
    /// - Throws: `appFailed` where it is no text, `invalid` where it is larger.
    func text(_ path: String, limit: Int = Self.textLimit) throws(MoorError) -> String {
        guard let bytes = try source.contents(of: path, limit: limit) else {
            throw MoorError(.appFailed, "\(path) is not in the repository", hint: "commit it, or take the line out that names it")
        }
        let text =
            switch bytes.prefix(2) {
            case [0xFF, 0xFE]: String(bytes: bytes.dropFirst(2), encoding: .utf16LittleEndian)
            case [0xFE, 0xFF]: String(bytes: bytes.dropFirst(2), encoding: .utf16BigEndian)
            default: String(validating: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...], as: UTF8.self)
            }
        guard let text, !text.unicodeScalars.contains("\0") else {
            throw MoorError(.appFailed, "\(path) is not a text file in UTF-8", hint: "save \(path) as UTF-8")
        }
        return text
    }
}

extension StringProtocol {
    /// The lines, whichever line ends are used, each with its 1-based number; also the empty ones, so that numbers hold.
    var numberedLines: [(number: Int, text: String)] {
        // In Swift CR LF is one Character, and so is each lone one.
        split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
            .enumerated().map { ($0.offset + 1, String($0.element)) }
    }

    var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
