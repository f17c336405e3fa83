import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The kernel's log. Under the hybrid cgroup layout Podman does not notice that a container was killed for its memory; the
/// kernel says so, naming the container's cgroup.
enum KernelLog {
    /// Whether the kernel killed something of the container for memory. False where the log cannot be read.
    @concurrent static func tellsOutOfMemory(of containerID: String) async -> Bool {
        // A C string that lives for the call.
        let file = unsafe open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var record = [UInt8](repeating: 0, count: 8192)
        // A read gives one record; EPIPE says that older ones were overwritten meanwhile. The bound is the largest log in use.
        for _ in 0..<100_000 {
            // Writes into the array it is given, at most its size.
            let count = unsafe read(file, &record, record.count)
            if count < 0, errno == EPIPE { continue }
            guard count > 0 else { return false }
            if isOutOfMemory(String(decoding: record[..<count], as: UTF8.self), of: containerID) { return true }
        }
        return false
    }

    /// "oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/libpod_parent/libpod-<id>,…" (mm/oom_kill.c).
    static func isOutOfMemory(_ record: String, of containerID: String) -> Bool {
        record.contains("oom-kill:") && record.contains("MEMCG") && record.contains(containerID)
    }
}
