import Synchronization

/// Lines on their way from whoever makes them to the one response that carries them; holds at most `capacity` of them.
///
/// Everything is under one lock, so that closing it from a channel's callback needs no task.
final class LineQueue: Sendable {
    fileprivate struct State {
        var lines: [String] = []
        var isClosed = false
        /// Waits for a line; only one reads.
        var reader: CheckedContinuation<String?, Never>?
        /// Wait for room.
        var writers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// Adds a line, waiting for room.
    /// - Returns: false where nobody reads any more.
    func send(_ line: String) async -> Bool {
        while true {
            if let wasTaken = tryAdding(line) { return wasTaken }
            await withCheckedContinuation { continuation in
                let hasRoom = state.withLock { state in
                    if state.isClosed || state.lines.count < capacity { return true }
                    state.writers.append(continuation)
                    return false
                }
                if hasRoom { continuation.resume() }
            }
        }
    }

    /// Adds a line, or drops it where there is no room: for writers that must not wait for a reader.
    func offer(_ line: String) { _ = tryAdding(line) }

    /// The next line; nil once the queue is closed and what was in it has been read.
    func next() async -> String? {
        await withCheckedContinuation { continuation in
            let (answer, writers): (String??, [CheckedContinuation<Void, Never>]) = state.withLock { state in
                if !state.lines.isEmpty {
                    let line = state.lines.removeFirst()
                    return (.some(line), state.takeWriters())
                }
                if state.isClosed { return (.some(nil), []) }
                state.reader = continuation
                return (nil, [])
            }
            for writer in writers { writer.resume() }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// No more lines; what is in it is still read.
    func finish() { close(dropping: false) }

    /// Nobody reads any more.
    func abandon() { close(dropping: true) }

    private func close(dropping: Bool) {
        let (reader, writers) = state.withLock { state in
            state.isClosed = true
            if dropping { state.lines = [] }
            defer { state.reader = nil }
            return (state.reader, state.takeWriters())
        }
        reader?.resume(returning: nil)
        for writer in writers { writer.resume() }
    }

    /// - Returns: nil where it is full.
    private func tryAdding(_ line: String) -> Bool? {
        let (answer, reader): (Bool?, CheckedContinuation<String?, Never>?) = state.withLock { state in
            if state.isClosed { return (false, nil) }
            if let reader = state.reader {
                state.reader = nil
                return (true, reader)
            }
            if state.lines.count >= capacity { return (nil, nil) }
            state.lines.append(line)
            return (true, nil)
        }
        reader?.resume(returning: line)
        return answer
    }
}

extension LineQueue.State {
    fileprivate mutating func takeWriters() -> [CheckedContinuation<Void, Never>] {
        defer { writers = [] }
        return writers
    }
}
