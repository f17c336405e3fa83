import CGit2
import Models

/// How far a tar has been written.
struct TarState: ~Copyable {
    private static let chunkSize = 256 << 10
    /// Files above this are streamed where their object is a loose one.
    private static let streamedFrom: Int64 = 1 << 20
    /// 2000-01-01: zip files, and so Python wheels, cannot hold times before 1980.
    private static let epoch: Int64 = 946_684_800

    private let objects: GitObjects
    private let items: [TreeItem]
    private let prefix: [UInt8]
    private let extra: [TarFile]
    private var nextExtra = 0
    private var nextItem = 0
    private var buffer: [UInt8] = []
    private var isClosed = false
    private var body = Body.none
    private var bodyLeft: Int64 = 0
    private var bodySize: Int64 = 0

    /// The file whose content is being written.
    @safe private enum Body {
        case none
        /// Read with libgit2's stream; freed in `endBody`.
        case stream(UnsafeMutablePointer<git_odb_stream>)
        case object(GitObject)
    }

    init(objects: consuming GitObjects, items: [TreeItem], prefix: [UInt8], extra: [TarFile]) {
        self.objects = objects
        self.items = items
        self.prefix = prefix
        self.extra = extra
    }

    // SAFETY: frees the stream before the objects it was made from.
    deinit { if case .stream(let stream) = body { unsafe git_odb_stream_free(stream) } }

    /// The next bytes; nil at the end.
    mutating func chunk() throws(MoorError) -> [UInt8]? {
        while buffer.count < Self.chunkSize, !isClosed {
            if bodyLeft > 0 { try readBody() } else { try begin() }
        }
        guard !buffer.isEmpty else { return nil }
        defer { buffer = [] }
        return buffer
    }

    /// Writes the next entry's header, or the end of the archive.
    private mutating func begin() throws(MoorError) {
        if nextExtra < extra.count {
            let file = extra[nextExtra]
            nextExtra += 1
            let size = Int64(file.contents.count)
            buffer += TarHeader.blocks(
                path: Array(file.path.utf8), kind: .file, mode: file.isExecutable ? 0o755 : 0o644, size: size, time: Self.epoch)
            buffer += file.contents + TarHeader.padding(for: size)
        } else if nextItem < items.count {
            let item = items[nextItem]
            nextItem += 1
            try begin(item)
        } else {
            buffer += [UInt8](repeating: 0, count: 2 * TarHeader.blockSize)
            isClosed = true
        }
    }

    private mutating func begin(_ item: TreeItem) throws(MoorError) {
        let path = prefix + item.path
        let time = Self.time(of: item)
        switch item.kind {
        case .folder, .submodule:
            // A submodule is an empty folder, as git-archive(1) writes it.
            buffer += TarHeader.blocks(path: path + [0x2F], kind: .folder, mode: 0o755, size: 0, time: Self.epoch)
        case .symlink:
            let object = try objects.read(item.id)
            guard object.count <= 4096 else {
                throw MoorError(.invalid, "\(item.name) is a symbolic link with a target of \(object.count) bytes", hint: "remove it")
            }
            buffer += TarHeader.blocks(
                path: path, kind: .symlink, mode: 0o777, size: 0, time: time, target: object.bytes(0..<object.count))
        case .file, .executable:
            let mode = item.kind == .executable ? 0o755 : 0o644
            buffer += TarHeader.blocks(path: path, kind: .file, mode: mode, size: item.size, time: time)
            guard item.size > 0 else { return }
            bodySize = item.size
            bodyLeft = item.size
            if item.size > Self.streamedFrom, let stream = unsafe objects.stream(item.id) {
                body = unsafe .stream(stream)
            } else {
                body = .object(try objects.read(item.id))
            }
        }
    }

    private mutating func readBody() throws(MoorError) {
        let wanted = Int(min(Int64(Self.chunkSize), bodyLeft))
        var bytes: [UInt8] = []
        switch body {
        case .none: preconditionFailure("a body without a source")
        case .object(let object):
            let start = Int(bodySize - bodyLeft)
            guard object.count == bodySize else { throw MoorError(.internalError, "an object changed its size") }
            bytes = object.bytes(start..<start + wanted)
        case .stream(let stream):
            bytes = [UInt8](repeating: 0, count: wanted)
            // SAFETY: fills at most the buffer's own count.
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe git_odb_stream_read(stream, buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
            }
            guard count > 0 else { throw GitObjects.failure("a file of the pushed commit could not be read to its end") }
            bytes.removeSubrange(Int(count)...)
        }
        buffer += bytes
        bodyLeft -= Int64(bytes.count)
        if bodyLeft == 0 { endBody() }
    }

    private mutating func endBody() {
        // SAFETY: freed once, for the case is replaced at once.
        if case .stream(let stream) = body { unsafe git_odb_stream_free(stream) }
        body = .none
        buffer += TarHeader.padding(for: bodySize)
    }

    /// A time that follows from the content alone: equal trees give equal bytes, and a changed file has a changed time, which
    /// is what web frameworks make its ETag of and Python checks its compiled files by.
    private static func time(of item: TreeItem) -> Int64 {
        let (a, b, c, d) = (item.id.id.0, item.id.id.1, item.id.id.2, item.id.id.3)
        return epoch + (Int64(a) << 24 | Int64(b) << 16 | Int64(c) << 8 | Int64(d)) % (1 << 28)
    }
}
