import Models
import Synchronization

/// A tree as a tar, read as it is asked for: nothing is held but one chunk, and one file where it lies in a pack.
struct TarSequence: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    typealias Failure = any Error

    let tree: GitSourceTree
    let prefix: String
    let extra: [TarFile]

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: Reader(self)) }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

        mutating func next() async throws -> [UInt8]? { try await reader.next() }
        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> [UInt8]? { try await reader.next() }
    }

    /// Reads away from the caller's actor, for it touches the disk.
    fileprivate final class Reader: Sendable {
        private let source: TarSequence
        private let state: Mutex<TarState?>

        init(_ source: TarSequence) {
            self.source = source
            state = Mutex(nil)
        }

        @concurrent func next() async throws -> [UInt8]? {
            try Task.checkCancellation()
            let result = state.withLock { state -> Result<[UInt8]?, MoorError> in
                do throws(MoorError) {
                    if state == nil {
                        state = TarState(
                            objects: try source.tree.open(), items: try source.tree.items(), prefix: Array(source.prefix.utf8),
                            extra: source.extra)
                    }
                    return .success(try state!.chunk())
                } catch {
                    return .failure(error)
                }
            }
            return try result.get()
        }
    }
}
