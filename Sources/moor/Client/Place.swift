import Foundation
import Models

/// Which platform is meant, and as whom.
struct Place: Sendable {
    var origin: Origin
    /// Nil where the person is not signed in there.
    var token: String?

    /// The first of: `--url`, `MOOR_URL`, the git remote, the platform signed in to last.
    ///
    /// A token goes only to the origin it belongs to: `MOOR_TOKEN` to `MOOR_URL`, a stored one to where it was made. So a
    /// checkout from somewhere else, with a remote to somewhere else, is sent nothing.
    static func find(
        url: String?, remote: Remote?, environment: [String: String], credentials: CredentialsFile
    ) throws(MoorError) -> Place {
        let fromEnvironment = try environment["MOOR_URL"].flatMap { $0.isEmpty ? nil : $0 }.map { text throws(MoorError) in try Origin(text)
        }
        let token = environment["MOOR_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        if token != nil, fromEnvironment == nil {
            throw MoorError(.invalid, "MOOR_TOKEN is set, but not which platform it is for", hint: "set MOOR_URL too")
        }
        let given = try url.map { text throws(MoorError) in try Origin(text) }
        var found = given ?? fromEnvironment ?? remote?.origin
        if found == nil { found = try credentials.current() }
        guard let origin = found else {
            throw MoorError(.invalid, "you are not signed in to any platform", hint: "moor login URL")
        }
        if let token, origin == fromEnvironment { return Place(origin: origin, token: token) }
        return Place(origin: origin, token: try credentials.entry(for: origin)?.token)
    }
}
