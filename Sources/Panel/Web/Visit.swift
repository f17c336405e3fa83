import Foundation
import HTTPTypes
import Hummingbird
import Models
import NIOCore

/// One request to the panel with what every page asks of it.
struct Visit: Sendable {
    let request: Request
    let parameters: Parameters
    let query: FormFields
    /// The fields of a POSTed form; empty otherwise.
    let form: FormFields
    /// Of the panel's session cookie where that names a live session.
    let cookie: String?
    let principal: Principal?
    /// Whether cookies are marked `Secure`.
    let isSecure: Bool

    /// Path and query, as a `next` after the sign-in.
    var target: String { request.uri.string }
    /// The client's address as the gateway saw it: the last entry, since earlier ones are the client's own claim.
    var address: String {
        let last = request.headers[.xForwardedFor]?.split(separator: ",").last
        return last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    }
    /// Lower-case and without port.
    var host: String { authority.lowercased().replacing(/:\d+$/, with: "") }
    private var authority: String { request.head.authority ?? "" }

    func cookie(_ name: String) -> String? { request.cookies[name]?.value }

    /// Whether the browser says that the request comes from a page of this same host. Browsers of the last years send
    /// `Sec-Fetch-Site` (Fetch Metadata) or `Origin` (RFC 6454) with every POST; a client that sends neither is no
    /// browser that another site could use.
    /// - Parameter required: refuse where it says nothing.
    func isSameOrigin(required: Bool) -> Bool {
        if let site = request.headers[.secFetchSite] { return site == "same-origin" }
        guard let origin = request.headers[.origin] else { return !required }
        return origin.split(separator: "/").last.map { $0.lowercased() == authority.lowercased() } ?? false
    }
}

extension HTTPField.Name {
    static let xForwardedFor = Self("X-Forwarded-For")!
    static let xForwardedProto = Self("X-Forwarded-Proto")!
    static let secFetchSite = Self("Sec-Fetch-Site")!
    static let referrerPolicy = Self("Referrer-Policy")!
    static let crossOriginOpenerPolicy = Self("Cross-Origin-Opener-Policy")!
}
