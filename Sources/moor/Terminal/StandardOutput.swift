import ArgumentParser
import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Standard output and error as they are, written where a reader that is slow holds up nothing else.
struct StandardOutput: Sendable {
    private let queue = DispatchQueue(label: "standard-output")

    /// - Throws: the exit code of a program that wrote to a closed pipe, where nobody reads any more.
    func write(_ bytes: [UInt8], to descriptor: Int32) async throws {
        let isWritten = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Self.writeAll(bytes, to: descriptor)) }
        }
        guard isWritten else { throw ExitCode(128 + SIGPIPE) }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Only reads the bytes.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Somebody else who has the same terminal made it so.
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&wait, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
