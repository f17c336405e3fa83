import GRDB
import Models
import Store

/// One change of an app that holds the app's lock.
struct Change: Sendable {
    var appID: AppID
    var app: AppName
    var point: CommitmentPoint
    /// Before the commitment point a line waits for its reader; after it a reader that stalls holds up nothing.
    var log: DeployLog
}

extension ReleaseService {
    /// Runs a change of the app once those before it have ended.
    ///
    /// The change itself runs in a task of the service: a caller that is cancelled asks for its end, which it heeds only
    /// up to its commitment point, and in any case the caller returns when it has ended.
    /// - Throws: `notFound` where there is no such app; `cancelled`; `unavailable` while stopping.
    func exclusively<T: Sendable>(
        _ appID: AppID, log: DeployLog, includesDeleting: Bool = false,
        _ work: @escaping @Sendable (Change) async throws(MoorError) -> T
    ) async throws(MoorError) -> T {
        let app = try await app(appID, includesDeleting: includesDeleting)
        let (ticket, holds) = locks.enqueue(appID)
        if !holds {
            await log.line("waiting for another change of \(app.name)…")
            guard await locks.wait(ticket) else { throw MoorError(.cancelled, "cancelled while waiting for another change") }
        }
        do throws(MoorError) {
            if Task.isCancelled { throw MoorError(.cancelled, "cancelled before anything was changed") }
            if isStopping || isHeldForGood(appID) { throw Self.stoppingError }
            // It may have been deleted meanwhile.
            _ = try await self.app(appID, includesDeleting: includesDeleting)
        } catch {
            locks.release(ticket)
            throw error
        }

        // Enough for every line of a rollout of a hundred replicas; only a stalled reader ever misses one.
        let (lines, relay) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1024))
        let point = CommitmentPoint()
        let change = Change(
            appID: appID, app: app.name, point: point,
            log: DeployLog { line in
                if point.isPassed { relay.yield(line) } else { await log.line(line) }
            })
        changes[appID] = change
        let task = own { await self.perform(change, work, ticket: ticket, relay: relay) }
        let result = await withTaskCancellationHandler {
            for await line in lines { await log.line(line) }
            return await task.value
        } onCancel: {
            point.cancel(MoorError(.cancelled, "cancelled before the rollout; nothing was changed"))
        }
        return try result.get()
    }

    private func perform<T: Sendable>(
        _ change: Change, _ work: @Sendable (Change) async throws(MoorError) -> T, ticket: AppLocks.Ticket,
        relay: AsyncStream<String>.Continuation
    ) async -> Result<T, MoorError> {
        let result: Result<T, MoorError>
        do throws(MoorError) { result = .success(try await work(change)) } catch { result = .failure(error) }
        changes[change.appID] = nil
        stopRequests[change.appID] = nil
        undoRequests[change.appID] = nil
        locks.release(ticket)
        relay.finish()
        return result
    }

    /// - Throws: `notFound`.
    func app(_ appID: AppID, includesDeleting: Bool = false) async throws(MoorError) -> AppRecord {
        let app = try await store.read { db in try AppRecord.filter(key: appID).fetchOne(db) }
        guard let app, includesDeleting || app.deletingAt == nil else {
            throw MoorError(.notFound, "there is no such app", hint: "`moor apps` lists those there are")
        }
        return app
    }
}
