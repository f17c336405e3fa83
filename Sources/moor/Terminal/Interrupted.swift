import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The person pressed Ctrl-C.
struct Interrupted: Error {
    /// As shells report a program that SIGINT ended.
    static let exitCode: Int32 = 128 + SIGINT

    /// Runs `body`; Ctrl-C cancels it, waits for it, and throws.
    static func ending<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        // The dispatch source only sees the signal where its default, ending the process, is off.
        let previous = signal(SIGINT, SIG_IGN)
        let (presses, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { continuation.yield() }
        source.resume()
        defer {
            source.cancel()
            _ = signal(SIGINT, previous)
        }
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in presses { throw Interrupted() }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
