import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The kernel's log. Under the hybrid cgroup layout Podman does not notice that a container was killed for its memory; the
/// kernel says so, naming the container's cgroup.
enum KernelLog {
    /// A kill for memory.
    struct OutOfMemory: Hashable, Sendable {
        /// Bytes that the container used then; nil where the log does not tell.
        var peak: Int64?
    }

    /// The kernel's latest kill of something of the container for memory; nil where there was none, or the log cannot be read.
    @concurrent static func outOfMemory(of containerID: String) async -> OutOfMemory? {
        // A C string that lives for the call.
        let file = unsafe open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var record = [UInt8](repeating: 0, count: 8192)
        var search = Search(containerID: containerID)
        // A read gives one record; EPIPE says that older ones were overwritten meanwhile. The bound is the largest log in use.
        for _ in 0..<100_000 {
            // Writes into the array it is given, at most its size.
            let count = unsafe read(file, &record, record.count)
            if count < 0, errno == EPIPE { continue }
            guard count > 0 else { break }
            search.read(String(decoding: record[..<count], as: UTF8.self))
        }
        return search.found
    }

    /// Goes through the log's records in order. What was used stands some lines before the line that names the container:
    /// "memory: usage 16384kB, limit 16384kB, failcnt 12" (mm/memcontrol.c).
    struct Search {
        var containerID: String
        private(set) var found: OutOfMemory?
        private var usage: Int64?

        init(containerID: String) { self.containerID = containerID }

        mutating func read(_ record: String) {
            if let mark = record.firstRange(of: "memory: usage ") {
                usage = Int64(record[mark.upperBound...].prefix(while: \.isNumber)).map { $0 << 10 }
            } else if isOutOfMemory(record, of: containerID) {
                found = OutOfMemory(peak: usage)
                usage = nil
            }
        }
    }

    /// "oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/libpod_parent/libpod-<id>,…" (mm/oom_kill.c).
    static func isOutOfMemory(_ record: String, of containerID: String) -> Bool {
        record.contains("oom-kill:") && record.contains("MEMCG") && record.contains(containerID)
    }
}
