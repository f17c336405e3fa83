import Foundation
import JWTKit

/// What a viewer token says (RFC 7519); the names of OpenID Connect Core section 5.1 where it has one.
struct ViewerClaims: JWTPayload, Equatable {
    /// The user's id, which is never given to another user; names may be.
    var sub: String
    var preferredUsername: String
    var email: String?
    var name: String
    var groups: [String]
    /// The role on the platform, then the role in the app where there is one.
    var roles: [String]
    /// The app's name, and what `dash-enterprise-auth` asks for.
    var aud: [String]
    var iss: String
    /// Whole seconds since 1970, as most libraries want them.
    var iat: Int
    var exp: Int

    enum CodingKeys: String, CodingKey {
        case sub, email, name, groups, roles, aud, iss, iat, exp
        case preferredUsername = "preferred_username"
    }

    func verify(using algorithm: some JWTAlgorithm) async throws {
        try ExpirationClaim(value: Date(timeIntervalSince1970: Double(exp))).verifyNotExpired()
    }
}
