import Models
import Synchronization

/// One `git receive-pack` from its start to its end, and what its hook decided.
///
/// It joins the two connections of a push: the pusher's HTTP request, which may hang up at any time, and the hook's, inside
/// which the deploy runs.
final class PushSession: Sendable {
    let appID: AppID
    let app: AppName
    let pusher: Principal
    /// Fires when the deploy should stop.
    let cancellation = Signal()
    private let decision = Signal()
    private let phase = Mutex(Phase.receiving)

    private enum Phase {
        /// The hook has not come yet.
        case receiving
        /// The hook waits for its verdict.
        case deciding
        case decided(Verdict)
        /// The pusher is gone, or git has ended without a hook.
        case over
    }

    /// What the hook was told.
    enum Verdict: Sendable, Equatable {
        case rejected
        /// Every ref may move.
        case kept
        /// `ref` must now move to `commit`, whose release is live.
        case deployed(ref: String, commit: String, PushID)
    }

    init(appID: AppID, app: AppName, pusher: Principal) {
        self.appID = appID
        self.app = app
        self.pusher = pusher
    }

    /// The hook has come. - Returns: false where it comes too late or a second time.
    func begin() -> Bool {
        phase.withLock { phase in
            guard case .receiving = phase else { return false }
            phase = .deciding
            return true
        }
    }

    func decide(_ verdict: Verdict) {
        phase.withLock { $0 = .decided(verdict) }
        decision.fire()
    }

    /// The pusher hung up. Cancels the deploy and waits for what comes of it: one that had gone too far to be cancelled
    /// still moves its branch.
    /// - Returns: whether git should be left to finish.
    func pusherLeft() async -> Bool {
        cancel()
        if case .deciding = phase.withLock({ $0 }) { await decision.wait() }
        return switch verdict {
        case .kept, .deployed: true
        case .rejected, nil: false
        }
    }

    /// git has ended, by itself or killed; a deploy that still runs is cancelled.
    func gitEnded() { cancel() }

    var verdict: Verdict? {
        if case .decided(let verdict) = phase.withLock({ $0 }) { verdict } else { nil }
    }

    private func cancel() {
        phase.withLock { if case .receiving = $0 { $0 = .over } }
        cancellation.fire()
    }
}
