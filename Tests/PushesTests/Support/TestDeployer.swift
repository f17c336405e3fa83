import Models
import Synchronization

/// Deploys by calling a closure; keeps what it was given and tells when a deploy begins and how it ends.
final class TestDeployer: PushDeployer {
    typealias Deploy = @Sendable (ReceivedPush, any SourceTree, DeployLog) async throws(MoorError) -> Void

    private let body: Deploy
    private let state = Mutex<(pushes: [ReceivedPush], paths: [[String]])>(([], []))
    let begins: AsyncStream<ReceivedPush>
    private let begin: AsyncStream<ReceivedPush>.Continuation
    let ends: AsyncStream<MoorError?>
    private let end: AsyncStream<MoorError?>.Continuation

    init(_ body: @escaping Deploy) {
        self.body = body
        (begins, begin) = AsyncStream.makeStream()
        (ends, end) = AsyncStream.makeStream()
    }

    var pushes: [ReceivedPush] { state.withLock { $0.pushes } }
    var paths: [[String]] { state.withLock { $0.paths } }

    func deploy(_ push: ReceivedPush, source: any SourceTree, log: DeployLog) async throws(MoorError) {
        let paths = try source.entries().map(\.path)
        state.withLock {
            $0.pushes.append(push)
            $0.paths.append(paths)
        }
        begin.yield(push)
        do throws(MoorError) {
            await log.line("deploying \(push.subject)")
            try await body(push, source, log)
            end.yield(nil)
        } catch {
            end.yield(error)
            throw error
        }
    }

    /// Waits until its task is cancelled.
    static let untilCancelled: Deploy = { _, _, _ throws(MoorError) in
        let never = AsyncStream<Never>.makeStream()
        for await _ in never.stream {}
        throw MoorError(.cancelled, "cancelled by the pusher")
    }
}
