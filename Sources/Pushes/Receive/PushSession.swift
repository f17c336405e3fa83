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
    private let turn = Mutex(false)

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

    /// Whether it is this push's turn to deploy, which lasts until git has moved the branch: the next push compares with it.
    var hasTurn: Bool {
        get { turn.withLock { $0 } }
        set { turn.withLock { $0 = newValue } }
    }

    func decide(_ verdict: Verdict) {
        phase.withLock { $0 = .decided(verdict) }
        decision.fire()
    }

    /// The pusher hung up, or git has ended. Cancels a deploy that is under way and waits for what comes of it, also from
    /// a cancelled task; after this no deploy begins.
    /// - Returns: what the hook was told; nil where none came.
    @discardableResult
    func stop() async -> Verdict? {
        let isDeciding = phase.withLock { phase in
            if case .receiving = phase { phase = .over }
            if case .deciding = phase { return true } else { return false }
        }
        cancellation.fire()
        if isDeciding { await uncancelled { await self.decision.wait() } }
        return verdict
    }

    var verdict: Verdict? {
        if case .decided(let verdict) = phase.withLock({ $0 }) { verdict } else { nil }
    }
}
