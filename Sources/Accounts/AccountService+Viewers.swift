import Foundation
import GRDB
import Logging
package import Models
import Store

extension AccountService: ViewerAuthority {
    /// What one read of the store says about a request.
    private enum Finding: Sendable {
        case anonymous(mayView: Bool)
        case viewer(Viewer, mayView: Bool, app: AppName, sessionEnds: Double)
    }

    package nonisolated func decide(appID: AppID, cookie: String?) async -> ViewerDecision {
        do {
            let now = clock()
            switch try await find(appID: appID, cookie: cookie, now: now) {
            case .anonymous(let mayView):
                return mayView ? .allow(ViewerHeaders(), remember: Self.longestMemory) : .signIn
            case .viewer(let viewer, false, _, _):
                return .forbidden(username: viewer.username)
            case .viewer(let viewer, true, let app, let sessionEnds):
                let lifetime = configuration.viewerTokenLifetime
                let claims = viewer.claims(
                    issuer: configuration.issuer, audience: [app.rawValue, configuration.dashAudience], issuedAt: now,
                    lifetime: lifetime.inSeconds)
                let headers = viewer.headers(token: try await signingKey.sign(claims), keyID: signingKey.id)
                return .allow(headers, remember: Self.memory(token: lifetime, session: .seconds(sessionEnds - now)))
            }
        } catch {
            // Signing in again tells a person what is wrong; letting the request through would tell nobody.
            logger.error("the viewer could not be decided about", metadata: ["appID": "\(appID)", "error": "\(error)"])
            return .signIn
        }
    }

    package func jwks() async -> String { signingKey.jwks }

    private nonisolated func find(appID: AppID, cookie: String?, now: Double) async throws(MoorError) -> Finding {
        let hash = cookie.map(Secret.hash)
        return try await store.read { db in
            guard let app = try AppRecord.filter(Column("id") == appID && Column("deletingAt") == nil).fetchOne(db) else {
                return .anonymous(mayView: false)
            }
            guard let hash, let session = try SessionRecord.live(hash, now: now, db), session.appID == appID,
                let user = try UserRecord.enabled(session.userID, db)
            else { return .anonymous(mayView: try AppRecord.allows(.view, nil, app, db)) }
            let principal = Principal(userID: session.userID, username: user.username, role: user.role, means: .session(session.id!))
            return .viewer(
                try Viewer(user, of: app, db), mayView: try AppRecord.allows(.view, principal, app, db), app: app.name,
                sessionEnds: session.expiresAt)
        }
    }

    private static let longestMemory = Duration.seconds(60)

    /// A remembered answer keeps its token, which must still be good for a slow request: half a minute is left for that.
    static func memory(token: Duration, session: Duration) -> Duration {
        max(.zero, min(longestMemory, token - .seconds(30), session))
    }
}
