import Foundation
import Models

/// A build's log as it is kept: one file, bounded, readable while it is written.
actor BuildLog {
    private let file: FileHandle
    private let limit: Int
    private var written = 0
    private var isFull = false
    /// The last lines, for an error's detail.
    private(set) var tail: [String] = []
    /// What failure messages are looked for in; bounded like the tail, at the end where reasons stand.
    private(set) var output: [String] = []

    init(path: String, limit: Int) throws(MoorError) {
        do {
            let folder = URL(filePath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
                throw CocoaError(.fileWriteUnknown)
            }
            file = try FileHandle(forWritingTo: URL(filePath: path))
            self.limit = limit
        } catch {
            throw MoorError(
                .unavailable, "the build's log cannot be written", hint: "the platform's admin must check the disk of its data folder",
                cause: error)
        }
    }

    /// - Parameter isOutput: what a command wrote, and not what the platform says.
    func write(_ line: String, isOutput: Bool) {
        if isOutput {
            tail.append(line)
            if tail.count > 20 { tail.removeFirst() }
            output.append(line)
            if output.count > 400 { output.removeFirst(100) }
        }
        guard !isFull else { return }
        let data = Data((line + "\n").utf8)
        guard written + data.count <= limit else {
            isFull = true
            put(Data("(the log ends here: it reached \(limit >> 10) KiB)\n".utf8))
            return
        }
        written += data.count
        put(data)
    }

    /// A full disk must not fail a build whose log is all that suffers.
    private func put(_ data: Data) { try? file.write(contentsOf: data) }

    func close() { try? file.close() }
}
