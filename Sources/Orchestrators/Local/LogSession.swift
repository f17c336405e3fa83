import Models

/// Lines on their way from several containers to one reader, who holds the writers back when slow. The writers' task ends
/// with the reader: when it is done, cancelled, or lets go of the stream.
final class LogSession: Sendable {
    private let lines: LineQueue
    private let writers: Task<Void, Never>

    /// - Parameter write: everything that writes; the stream ends when it returns, or throws what it throws.
    init(_ write: @escaping @Sendable (LineQueue) async throws -> Void) {
        let lines = LineQueue()
        self.lines = lines
        writers = Task {
            do {
                try await write(lines)
                await lines.finish(nil)
            } catch {
                await lines.finish(error)
            }
        }
    }

    deinit { writers.cancel() }

    var stream: AsyncThrowingStream<LogLine, any Error> {
        AsyncThrowingStream { [self] in
            try await withTaskCancellationHandler {
                try await lines.next()
            } onCancel: {
                writers.cancel()
            }
        }
    }
}

/// A bounded queue of lines: many writers, one reader.
actor LineQueue {
    private static let bound = 256
    private var buffer: [LogLine] = []
    private var end: Result<Void, any Error>?
    private var reader: CheckedContinuation<Void, Never>?
    private var writers: [CheckedContinuation<Void, Never>] = []

    /// Waits while the queue is full.
    func send(_ line: LogLine) async throws {
        while buffer.count >= Self.bound, end == nil {
            try Task.checkCancellation()
            await withCheckedContinuation { writers.append($0) }
        }
        try Task.checkCancellation()
        buffer.append(line)
        reader?.resume()
        reader = nil
    }

    func finish(_ error: (any Error)?) {
        guard end == nil else { return }
        // To be cancelled is to be told to stop.
        end = if let error, !(error is CancellationError) { .failure(error) } else { .success(()) }
        wakeAll()
    }

    func next() async throws -> LogLine? {
        while buffer.isEmpty {
            if let end {
                try end.get()
                return nil
            }
            await withCheckedContinuation { reader = $0 }
        }
        let line = buffer.removeFirst()
        wakeWriters()
        return line
    }

    /// A cancelled writer that waits for room must be woken to see it.
    func wakeAll() {
        reader?.resume()
        reader = nil
        wakeWriters()
    }

    private func wakeWriters() {
        let waiting = writers
        writers = []
        for writer in waiting { writer.resume() }
    }
}
