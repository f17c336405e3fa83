import GRDB
import Logging
import Models
import Store

extension PushService {
    /// Decides about a push: what is kept, what deploys, and whether that came up.
    func receive(_ request: HookMessage.Request, session: PushSession, log: DeployLog) async -> PushSession.Verdict {
        do throws(MoorError) {
            let app = try await app(session.appID)
            let plan = try PushPlan(request.updates, deployBranch: app.deployBranch)
            let options = try PushOptions(request.options)
            for note in plan.notes { await log.line(note) }
            guard let update = plan.deploy, let commit = update.new, let branch = plan.branch else { return .kept }
            if let quarantine = request.quarantine, !Repositories.isQuarantine(quarantine) {
                throw MoorError(.internalError, "git keeps the push in a place that is not known", hint: "the platform's log has the cause")
            }
            let source = try GitSourceTree(
                repository: repositories.path(of: session.appID), quarantine: request.quarantine, commit: commit)
            if let error = MoorError.unsupported(try source.unsupported(maximumFileBytes: configuration.maximumFileBytes)) { throw error }
            let pushID = try await open(update, subject: source.subject, session: session)
            return await deploy(update, branch: branch, pushID: pushID, options: options, source: source, session: session, log: log)
        } catch {
            await report(error, session: session, log: log)
            return .rejected
        }
    }

    /// Waits for the app's turn and runs the deploy; the push's row is closed, whatever happens.
    private func deploy(
        _ update: RefUpdate, branch: String, pushID: PushID, options: PushOptions, source: GitSourceTree, session: PushSession,
        log: DeployLog
    ) async -> PushSession.Verdict {
        do throws(MoorError) {
            try await queue.enter(session.appID) { ahead in
                await log.line("another deploy of \(session.app) is running; waiting… (\(ahead) ahead)")
            }
            session.hasTurn = true
            guard try await isDue(update, branch: branch, session: session, log: log) else {
                try await close(pushID, .cancelled, failure: "another branch became the one that deploys")
                return .kept
            }
            try await store.write { db in
                _ = try PushRecord.filter(key: pushID).updateAll(db, Column("state").set(to: PushRecord.State.deploying))
            }
            let push = ReceivedPush(
                pushID: pushID, appID: session.appID, app: session.app, pusher: session.pusher, commitID: source.commitID,
                subject: source.subject, canaryPercent: options.canaryPercent)
            try await deployer.deploy(push, source: source, log: log)
            // The release is live: from here on the push stands, and nothing below may turn it down.
            await accept(pushID, branch: branch, session: session)
            await log.line("\(session.app) is live at \(appURL(session.app))")
            return .deployed(ref: update.ref, commit: source.commitID, pushID)
        } catch {
            let state = error.code == .cancelled ? PushRecord.State.cancelled : .rejected
            do throws(MoorError) { try await close(pushID, state, failure: error.message) } catch let failure {
                logger.error("a push's row could not be closed", metadata: ["push": "\(pushID)", "cause": "\(failure)"])
            }
            await report(error, session: session, log: log)
            return .rejected
        }
    }

    /// Looks again after waiting: the app may be gone, another branch may have become the one that deploys, and git would
    /// refuse a branch that moved, but only after a deploy for nothing.
    private func isDue(_ update: RefUpdate, branch: String, session: PushSession, log: DeployLog) async throws(MoorError) -> Bool {
        if Task.isCancelled { throw MoorError(.cancelled, "cancelled before the deploy began") }
        let app = try await app(session.appID)
        if let deployBranch = app.deployBranch, deployBranch != branch {
            await log.line("kept, not deployed: \(update.title)")
            await log.line("only branch \(deployBranch) deploys; it was deployed while this push waited")
            return false
        }
        let current = try GitObjects(path: repositories.path(of: session.appID)).target(of: update.ref)
        guard current == update.old else {
            throw MoorError(
                .conflict, "\(update.title) was pushed by somebody else while this push waited",
                hint: "fetch, merge and push again")
        }
        return true
    }

    private func app(_ appID: AppID) async throws(MoorError) -> AppRecord {
        let app = try await store.read { db in try AppRecord.fetchOne(db, key: appID) }
        guard let app, app.deletingAt == nil else {
            throw MoorError(.notFound, "the app was deleted", hint: "push again to create it anew")
        }
        return app
    }

    private func open(_ update: RefUpdate, subject: String, session: PushSession) async throws(MoorError) -> PushID {
        try await store.write { db in
            var record = PushRecord(
                appID: session.appID, userID: session.pusher.userID, ref: update.ref, beforeCommit: update.old,
                afterCommit: update.new ?? "", subject: subject, state: .waiting, startedAt: now())
            try record.insert(db)
            return record.id!
        }
    }

    /// Also from a cancelled task, in which the database would refuse to write.
    private func close(_ pushID: PushID, _ state: PushRecord.State, failure: String?) async throws(MoorError) {
        let result = await uncancelled { () -> Result<Void, MoorError> in
            do throws(MoorError) {
                return .success(
                    try await self.store.write { db in
                        _ = try PushRecord.filter(key: pushID).updateAll(
                            db, Column("state").set(to: state), Column("endedAt").set(to: now()), Column("failure").set(to: failure))
                    })
            } catch { return .failure(error) }
        }
        try result.get()
    }

    private func accept(_ pushID: PushID, branch: String, session: PushSession) async {
        do throws(MoorError) {
            try await close(pushID, .accepted, failure: nil)
            let result = await uncancelled { () -> Result<Void, MoorError> in
                do throws(MoorError) {
                    return .success(
                        try await self.store.write { db in
                            _ = try AppRecord.filter(key: session.appID).filter(Column("deployBranch") == nil)
                                .updateAll(db, Column("deployBranch").set(to: branch))
                        })
                } catch { return .failure(error) }
            }
            try result.get()
            try repositories.setHead(session.appID, to: branch)
        } catch {
            logger.error(
                "a live push could not be written down", metadata: ["push": "\(pushID)", "app": "\(session.app)", "cause": "\(error)"])
        }
    }

    /// After git has ended: a live release whose branch did not move is what an admin must know of.
    func checkBranch(_ ref: String, is commit: String, of session: PushSession, pushID: PushID) async {
        do throws(MoorError) {
            let current = try GitObjects(path: repositories.path(of: session.appID)).target(of: ref)
            if current == commit { return }
            logger.critical(
                "a release is live, but git could not move its branch: push the commit again",
                metadata: ["app": "\(session.app)", "push": "\(pushID)", "commit": "\(commit)", "branch": "\(current ?? "missing")"])
            try await close(pushID, .accepted, failure: "live, but git could not move the branch; push again")
        } catch {
            logger.error("a push could not be looked at again", metadata: ["push": "\(pushID)", "cause": "\(error)"])
        }
    }

    private func report(_ error: MoorError, session: PushSession, log: DeployLog) async {
        logger.info(
            "push rejected",
            metadata: [
                "app": "\(session.app)", "code": "\(error.code.rawValue)", "message": "\(error.message)", "cause": "\(error.cause ?? "")",
            ])
        for (index, line) in error.lines.enumerated() { await log.line(index == 0 ? "error: \(line)" : line) }
    }
}
