import Models
import NIOCore

/// One request and its answer.
struct Exchange {
    var requestID: UInt64 = 0
    /// Key into the routes.
    var host = ""
    var toApp = false
    var route: LoopRoute?
    var viewer: RenderedViewer?
    /// Whom the request was given to; counts as in flight there.
    var pool: UpstreamPool?
    /// What the route's viewers are told apart by; 0 where it does not ask.
    var affinity: UInt64 = 0
    /// Where its answer counts for a release that is compared, and since when it is waited for.
    var tally: ReleaseTally?
    var askedAt = NIODeadline.uptimeNanoseconds(0)
    var isWebSocket = false
    /// Raised with each attempt to connect, so that a late one is told from the current.
    var attempt = 0
    /// What was read of the body.
    var body = BodyFraming.none
    /// The whole request was read.
    var requestDone = true
    /// All that was sent is still in the client connection's `requestOut`.
    var isReplayable = true
    /// The upstream connection had served before.
    var isReused = false
    /// Something of the answer was seen: it is too late for another attempt.
    var answerBegan = false
    /// The client connection may serve another request.
    var keepsAlive = true
}
