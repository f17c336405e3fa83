import NIOCore

/// An answer of the gateway itself: a page for browsers, JSON for everyone else.
struct Page {
    var status: Int
    /// Machine-readable name of what happened.
    var code: String
    var title: String
    var text: String
    /// For those who may see details.
    var detail: String?
    var link: (text: String, address: String)?
    var requestID: UInt64?
    var location: String?
    /// Seconds after which it is worth trying again; browsers do so by themselves.
    var retryAfter: Int?
}

extension Page {
    static func refused(_ problem: HeadProblem) -> Page {
        switch problem {
        case .malformed:
            Page(status: 400, code: "bad_request", title: "This request cannot be read", text: "It does not follow the rules of HTTP/1.1.")
        case .tooLarge:
            Page(
                status: 431, code: "too_large", title: "This request is too large",
                text: "Its header fields are longer than the gateway takes. Clearing this site's cookies often helps.")
        case .version:
            Page(status: 505, code: "version", title: "This version of HTTP is not spoken here", text: "Use HTTP/1.1.")
        case .method:
            Page(status: 501, code: "method", title: "This method is not spoken here", text: "The gateway opens no tunnels.")
        }
    }

    static let timeout = Page(
        status: 408, code: "request_timeout", title: "The request took too long", text: "It did not arrive completely. Please try again.")

    static let signIn = Page(
        status: 401, code: "unauthenticated", title: "Please sign in", text: "This app is for people who are signed in.")

    static func redirect(to location: String) -> Page {
        Page(
            status: 302, code: "sign_in", title: "Please sign in", text: "You are on your way to the sign-in page.",
            link: ("Continue", location), location: location)
    }

    static func noSuchApp(panel: String) -> Page {
        Page(
            status: 404, code: "no_such_app", title: "There is no app here",
            text: "The address may be mistyped, or the app was renamed or deleted.", link: ("Go to the panel", panel))
    }

    static func forbidden(username: String, app: String, panel: String) -> Page {
        Page(
            status: 403, code: "forbidden", title: "This app is not shared with you",
            text: "You are signed in as \(username). Ask the owner of “\(app)” to give you access.", link: ("Go to the panel", panel))
    }

    /// - Parameter app: its name; nil for the control plane.
    static func upstream(status: Int, app: String?) -> Page {
        let name = app.map { "“\($0)”" } ?? "The platform"
        switch status {
        case 502:
            return Page(
                status: 502, code: "bad_gateway", title: "\(name) could not answer",
                text: "Something went wrong on its side. Please try again.")
        case 504:
            return Page(
                status: 504, code: "gateway_timeout", title: "\(name) takes too long",
                text: "It did not answer in time. It may be busy: please try again in a moment.")
        default:
            return Page(
                status: 503, code: "unavailable", title: "\(name) is not available right now",
                text: "It may be starting. This page tries again by itself.", retryAfter: 5)
        }
    }
}
