import Models
import ServiceLifecycle
import TestSupport
import Testing

@testable import Platform

@Suite(.timeLimit(.minutes(1)))
struct CommandDeskTests {
    @Test func `so many commands of one app, and all of them end with the platform`() async throws {
        let desk = CommandDesk(limit: 2)
        let (entered, entering) = AsyncStream.makeStream(of: Void.self)
        let forever: @Sendable () async throws -> Void = {
            entering.yield()
            try await Task.sleep(for: .seconds(1000))
        }
        let first = Task { try await desk.attend(AppID(1), forever) }
        let second = Task { try await desk.attend(AppID(1), forever) }
        var inside = entered.makeAsyncIterator()
        for _ in 0..<2 { await inside.next() }
        let error = await refusedOrNil { try await desk.attend(AppID(1)) {} }
        #expect(error?.code == .rateLimited)
        let other = await refusedOrNil { try await desk.attend(AppID(2), others: 1) {} }
        #expect(other == nil, "another app's")
        let counted = await refusedOrNil { try await desk.attend(AppID(2), others: 2) {} }
        #expect(counted?.code == .rateLimited)
        first.cancel()
        _ = await first.result
        let free = await refusedOrNil { try await desk.attend(AppID(1)) {} }
        #expect(free == nil)

        // Without a group around it, shut down at once.
        let stop = Task { try await desk.run() }
        stop.cancel()
        try await stop.value
        let outcome = await second.result
        guard case .failure(let failure as MoorError) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(failure.code == .unavailable)
        let late = await refusedOrNil { try await desk.attend(AppID(1)) {} }
        #expect(late?.code == .unavailable)
    }

    private func refusedOrNil(_ body: () async throws -> Void) async -> MoorError? {
        do {
            try await body()
            return nil
        } catch { return error as? MoorError }
    }
}
