import Models
import NIOCore

/// A question for the authority, on its way from an event loop to the service's task group and back.
struct DecisionJob: Sendable {
    var key: ViewerKey
    /// The viewer epoch in which it was asked; an answer from an earlier epoch is not remembered.
    var epoch: UInt64
    var loop: NIOLoopBound<GatewayLoop>
    var eventLoop: any EventLoop

    /// Asks, and hands the answer to the loop. Runs on a task of the service.
    func run(_ authority: any ViewerAuthority) async {
        let decision = await authority.decide(appID: key.appID, cookie: key.cookie)
        eventLoop.execute { loop.value.decided(self, decision) }
    }
}

extension GatewayLoop {
    /// Asks the authority about the request that `client` waits with; one question serves all who wait with the same key.
    func ask(about key: ViewerKey, for client: ClientConnection) {
        if undecided[key] != nil {
            undecided[key]?.append(client)
            return
        }
        let job = DecisionJob(key: key, epoch: viewerEpoch, loop: NIOLoopBound(self, eventLoop: eventLoop), eventLoop: eventLoop)
        if jobs(.decision(job)) {
            undecided[key] = [client]
        } else {
            client.viewerUndecided()
        }
    }

    fileprivate func decided(_ job: DecisionJob, _ decision: ViewerDecision) {
        guard job.epoch == viewerEpoch else { return }
        let remembered: RememberedDecision
        // What an administrator or a sign-in may change at any moment is held briefly.
        var lifetime = TimeAmount.seconds(1)
        switch decision {
        case .allow(let headers, let remember):
            remembered = .allow(RenderedViewer(headers))
            lifetime = TimeAmount(remember)
        case .signIn: remembered = .signIn
        case .forbidden(let username): remembered = .forbidden(username: username)
        }
        if lifetime > .zero { viewers.remember(remembered, for: job.key, until: .now() + lifetime, now: now) }
        for client in undecided.removeValue(forKey: job.key) ?? [] { client.viewerDecided(remembered) }
    }

    /// Forgets all viewers, and asks anew about those who wait: answers that are on their way may be of yesterday.
    func enterViewerEpoch(_ epoch: UInt64) {
        viewerEpoch = epoch
        viewers.removeAll()
        let waiting = undecided
        undecided.removeAll()
        for (key, clients) in waiting {
            for client in clients where client.isWaitingForDecision { ask(about: key, for: client) }
        }
    }
}
