import Foundation
import Models
import Subprocess

/// What the git remote named `moorage` says: which app, on which platform.
struct Remote: Equatable, Sendable {
    var origin: Origin
    var app: AppName

    /// - Returns: nil where it is not the URL of an app's repository on a platform: `…/git/NAME.git`.
    init?(url: String) {
        guard let parts = URLComponents(string: url.trimmingCharacters(in: .whitespacesAndNewlines)), let origin = Origin(parts) else {
            return nil
        }
        var path = parts.path.split(separator: "/").map(String.init)
        guard path.count == 2, path.removeFirst() == "git", let last = path.first else { return nil }
        guard let app = AppName(rawValue: last.hasSuffix(".git") ? String(last.dropLast(4)) : last) else { return nil }
        self.origin = origin
        self.app = app
    }

    /// The remote of the checkout in the current folder; nil outside of one, without such a remote, or without git.
    static func current() async -> Remote? {
        let result = try? await run(
            .name("git"), arguments: ["remote", "get-url", "moorage"], output: .string(limit: 8192), error: .discarded)
        guard let result, result.terminationStatus.isSuccess else { return nil }
        return Remote(url: result.standardOutput)
    }
}
