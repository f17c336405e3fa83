import Foundation
import Models

/// Scheme, host and port of a platform (RFC 6454 section 4): what credentials belong to.
struct Origin: Hashable, Sendable, CustomStringConvertible {
    let scheme: String
    /// In lower case; an IPv6 address without brackets.
    let host: String
    let port: Int

    /// - Parameter text: a URL, or a host with or without a port; then https is meant, or http on this machine.
    /// - Throws: `invalid` where it is no http or https URL, has user information, or a path.
    init(_ text: String) throws(MoorError) {
        let whole = text.contains("://") ? text : (Self.isLoopback(Self.hostPart(of: text)) ? "http://" : "https://") + text
        guard let parts = URLComponents(string: whole), let origin = Origin(parts), parts.path.isEmpty || parts.path == "/",
            parts.query == nil, parts.fragment == nil
        else {
            throw MoorError(
                .invalid, "“\(text.prefix(200))” is not the URL of a platform",
                hint: "such as https://moorage.example.com or http://localhost:8080")
        }
        guard parts.user == nil, parts.password == nil else {
            throw MoorError(.invalid, "the platform's URL must not hold a user name or a password", hint: "use \(origin)")
        }
        self = origin
    }

    /// The origin of a longer URL; nil where it is not an http or https URL.
    init?(_ parts: URLComponents) {
        guard let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = parts.host?.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "[]")), !host.isEmpty
        else { return nil }
        self.scheme = scheme
        self.host = host
        port = parts.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65_535).contains(port) else { return nil }
    }

    var description: String {
        let shownHost = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == "https" ? 443 : 80) ? "\(scheme)://\(shownHost)" : "\(scheme)://\(shownHost):\(port)"
    }

    /// Whether what is sent there can be read on the way.
    var isExposed: Bool { scheme == "http" && !Self.isLoopback(host) }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "::1"
            || (host.hasPrefix("127.") && host.split(separator: ".").count == 4 && host.allSatisfy { $0.isNumber || $0 == "." })
    }

    private static func hostPart(of text: String) -> String {
        if text.hasPrefix("[") { return String(text.dropFirst().prefix { $0 != "]" }).lowercased() }
        return String(text.prefix { $0 != ":" && $0 != "/" }).lowercased()
    }
}
