import Commands
import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Standard input, read by a thread of its own (a terminal and a file know no other way to be waited for), and never more
/// than there is credit for.
final class StandardInput: Sendable {
    /// nil is the end.
    let pieces: AsyncStream<[UInt8]?>
    private let output: AsyncStream<[UInt8]?>.Continuation
    private let credit = Mutex(CommandBounds.window)
    private let mayRead = DispatchSemaphore(value: 0)

    init() {
        // Bounded by the credit.
        (pieces, output) = AsyncStream.makeStream()
    }

    func start() {
        let thread = Thread { [self] in read() }
        thread.start()
    }

    func add(credit count: Int) {
        credit.withLock { $0 += count }
        mayRead.signal()
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: CommandBounds.piece)
        while true {
            let allowed = min(credit.withLock(\.self), buffer.count)
            guard allowed > 0 else {
                mayRead.wait()
                continue
            }
            // Fills at most as much of the buffer as it is told.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(STDIN_FILENO, $0.baseAddress, allowed) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            credit.withLock { $0 -= count }
            output.yield(Array(buffer.prefix(count)))
        }
        output.yield(nil)
        output.finish()
    }
}
