import Synchronization

/// Input on its way to a command that may not read it: never more than the window, as the other side is given credit only
/// for what was taken. One reader.
package final class InputWindow: Sendable {
    fileprivate struct State {
        var bytes: [UInt8] = []
        var isEnded = false
        var isAbandoned = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let window: Int

    package init(window: Int = CommandBounds.window) { self.window = window }

    /// - Returns: false where the sender took more than it was given, or sends after the end.
    package func put(_ bytes: some Collection<UInt8>) -> Bool {
        let (fits, reader): (Bool, CheckedContinuation<Void, Never>?) = state.withLock { state in
            guard !state.isEnded, bytes.count <= window - state.bytes.count else { return (false, nil) }
            if !state.isAbandoned { state.bytes += bytes }
            return (true, state.takeReader())
        }
        reader?.resume()
        return fits
    }

    package func end() { update { $0.isEnded = true } }

    /// Nobody sends any more, and what is left is not to be read.
    package func abandon() {
        update { state in
            state.isAbandoned = true
            state.bytes = []
        }
    }

    /// What is there, at most a message's worth; nil at the end, and where the task is cancelled.
    package func next() async -> [UInt8]? {
        while !Task.isCancelled {
            let (piece, isOver): ([UInt8], Bool) = state.withLock { state in
                let piece = Array(state.bytes.prefix(CommandBounds.piece))
                state.bytes.removeFirst(piece.count)
                return (piece, state.isEnded || state.isAbandoned)
            }
            if !piece.isEmpty { return piece }
            if isOver { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        guard state.bytes.isEmpty, !state.isEnded, !state.isAbandoned, !Task.isCancelled else { return true }
                        state.reader = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                update { _ in }
            }
        }
        return nil
    }

    private func update(_ change: (inout sending State) -> Void) {
        let reader = state.withLock { state in
            change(&state)
            return state.takeReader()
        }
        reader?.resume()
    }
}

extension InputWindow.State {
    fileprivate mutating func takeReader() -> CheckedContinuation<Void, Never>? {
        defer { reader = nil }
        return reader
    }
}
