import Models
import ServiceLifecycle

/// Counts the commands that somebody is at the other end of, and ends them when the platform stops: before the gateway, so
/// that their clients are told why.
actor CommandDesk: Service {
    private let limit: Int
    private var open: [AppID: Int] = [:]
    private var endings: [Int: AsyncStream<Void>.Continuation] = [:]
    private var next = 0
    private var isStopping = false
    private var waiter: CheckedContinuation<Void, Never>?

    /// - Parameter limit: of each app.
    init(limit: Int) { self.limit = limit }

    func run() async throws {
        try? await gracefulShutdown()
        isStopping = true
        for ending in endings.values { ending.finish() }
        guard !endings.isEmpty else { return }
        await withCheckedContinuation { waiter = $0 }
    }

    /// - Parameter others: commands of the app that count too.
    func attend<T: Sendable>(
        _ appID: AppID, others: Int = 0, _ body: @escaping @Sendable () async throws -> T
    ) async throws(MoorError) -> T {
        guard !isStopping else { throw Self.stopping }
        guard open[appID, default: 0] + others < limit else {
            throw MoorError(
                .rateLimited, "\(limit) commands of this app run already", hint: "wait for one to end, or stop one: moor ps shows them")
        }
        let id = next
        next += 1
        let (ended, ending) = AsyncStream.makeStream(of: Void.self)
        open[appID, default: 0] += 1
        endings[id] = ending
        defer { left(appID, id) }
        do {
            return try await withThrowingTaskGroup(of: T.self) { group in
                group.addTask { try await body() }
                group.addTask {
                    for await _ in ended {}
                    try Task.checkCancellation()
                    throw Self.stopping
                }
                defer { group.cancelAll() }
                guard let first = try await group.next() else { throw CancellationError() }
                return first
            }
        } catch {
            throw .wrapping(error)
        }
    }

    private func left(_ appID: AppID, _ id: Int) {
        open[appID, default: 1] -= 1
        if open[appID] == 0 { open[appID] = nil }
        endings[id] = nil
        guard isStopping, endings.isEmpty else { return }
        waiter?.resume()
        waiter = nil
    }

    private static let stopping = MoorError(
        .unavailable, "the platform is stopping, and the command with it", hint: "run it again once the platform is back")
}
