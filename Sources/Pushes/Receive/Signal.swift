/// Fires once and stays so. One task may wait for it.
struct Signal: Sendable {
    private let stream: AsyncStream<Never>
    private let continuation: AsyncStream<Never>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func fire() { continuation.finish() }

    /// Returns when it has fired, or when the task is cancelled.
    func wait() async { for await _ in stream {} }
}
