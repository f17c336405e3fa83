import Logging
import Models
import NIOCore

/// What went wrong upstream, in full; only those who may see details are told.
struct UpstreamProblem {
    var status: Int
    var reason: String
}

extension ClientConnection {
    /// Answers in the app's place.
    func reply(_ page: Page, keepsAlive: Bool = true) {
        abandonUpstream()
        waitForNothing()
        guard phase != .closed else { return }
        hasHeadToWrite = false
        passHead()
        if !exchange.requestDone { skipBody() }
        if !keepsAlive || !exchange.requestDone { exchange.keepsAlive = false }
        loop.counters.count(status: page.status)
        let wantsHTML = request.wantsHTML
        responseOut.clear()
        page.write(asHTML: wantsHTML, omittingBody: request.method == .head, into: &responseOut) { out in
            writeConnection(into: &out)
        }
        write(responseOut)
        endExchange()
    }

    /// A body that was read already is no reason to close the connection.
    private func skipBody() {
        switch exchange.body {
        case .none, .untilClose: exchange.requestDone = true
        case .length(let remaining):
            guard inbound.readableBytes >= remaining else { return }
            inbound.moveReaderIndex(forwardBy: remaining)
            exchange.requestDone = true
        case .chunked: break
        }
    }

    /// A head or body that cannot be trusted; nor can what follows it.
    func refuse(_ problem: HeadProblem) {
        exchange.requestDone = false
        exchange.body = .chunked(ChunkedDecoder())
        reply(.refused(problem), keepsAlive: false)
    }

    func replyNoSuchApp() {
        reply(.noSuchApp(panel: panelAddress))
    }

    func replySignIn() {
        if request.isNavigation {
            let target = text(inbound.readableBytesUInt8Span, request.target)
            reply(.redirect(to: "/_moor/start?to=" + percentEncoded((request.insertsSlash ? "/" : "") + target)))
        } else {
            reply(.signIn)
        }
    }

    func replyForbidden(_ username: String) {
        reply(.forbidden(username: username, app: exchange.route?.route.app.rawValue ?? "", panel: panelAddress))
    }

    func replyNoReplica() {
        let reason = exchange.route?.route.emptyReason ?? ""
        replyUpstreamFailed(.init(status: 503, reason: reason.isEmpty ? "no replica is ready" : reason))
    }

    func replyUnavailable(_ problem: UpstreamProblem) {
        replyUpstreamFailed(problem)
    }

    func replyUpstreamFailed(_ problem: UpstreamProblem) {
        exchange.tally?.errors += 1
        exchange.tally = nil
        let seesDetails = exchange.viewer?.seesDetails ?? false
        var page = Page.upstream(status: problem.status, app: exchange.toApp ? exchange.route?.route.app.rawValue : nil)
        page.requestID = exchange.requestID
        if seesDetails { page.detail = problem.reason }
        loop.logger.info(
            "request failed",
            metadata: [
                "app": "\(exchange.route?.route.app.rawValue ?? "")", "status": "\(problem.status)", "reason": "\(problem.reason)",
                "request": "\(String(exchange.requestID, radix: 16))",
            ])
        reply(page)
    }

    /// The panel as this client reaches it: on the port that it used for this request.
    private var panelAddress: String {
        var port = ""
        if headEnd > 0, let authority = request.authority {
            let host = text(inbound.readableBytesUInt8Span, authority)
            let digits = host.reversed().prefix { $0.isASCII && $0.isNumber }
            if !digits.isEmpty, host.dropLast(digits.count).last == ":" { port = ":" + String(digits.reversed()) }
        }
        return "\(loop.configuration.publicScheme)://\(loop.configuration.panelHost)\(port)/"
    }
}

/// Everything but unreserved characters (RFC 3986 section 2.3) and "/" as %XX.
func percentEncoded(_ target: String) -> String {
    var encoded = ""
    for byte in target.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x2F: encoded.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
        }
    }
    return encoded
}
