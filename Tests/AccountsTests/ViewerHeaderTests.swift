import Foundation
import JWTKit
import Models
import Testing

@testable import Accounts

@Suite struct ViewerHeaderTests {
    private func headers(_ viewer: Viewer) -> [String: String] {
        let rendered = viewer.headers(token: "a.b.c", keyID: "key-1")
        return Dictionary(uniqueKeysWithValues: rendered.fields.map { ($0.name, $0.value) })
    }

    @Test func `every family says who the viewer is, byte for byte`() {
        let viewer = Viewer(
            userID: UserID(7), username: "ada", name: "Ada Example", email: "ada@example.com", role: .developer, appRole: .owner,
            groups: ["research", "ops"])
        let rendered = viewer.headers(token: "a.b.c", keyID: "key-1")
        #expect(
            rendered.fields == [
                .init("X-Moor-Viewer", "a.b.c"),
                .init("X-Forwarded-User", "ada"),
                .init("X-Forwarded-Email", "ada@example.com"),
                .init("X-Forwarded-Preferred-Username", "ada"),
                .init("X-Forwarded-Groups", "research,ops"),
                .init("Plotly-User-Data", #"{"username":"ada","email":"ada@example.com","groups":["research","ops"]}"#),
                .init("kid", "key-1"),
                .init("RStudio-Connect-Credentials", #"{"user":"ada","groups":["research","ops"]}"#),
                .init("X-SP-UserId", "ada"),
                .init("X-SP-UserGroups", "research,ops"),
            ])
        #expect(rendered.cookie == "kcIdToken=YS5iLmM=")
        #expect(rendered.seesDetails)
    }

    @Test func `what is not known is left out`() {
        let fields = headers(Viewer(userID: UserID(7), username: "ada", name: "", email: "", role: .viewer))
        #expect(fields["X-Forwarded-Email"] == nil && fields["X-Forwarded-Groups"] == nil)
        #expect(fields["Plotly-User-Data"] == #"{"username":"ada","email":"","groups":[]}"#)
    }

    @Test func `no text of a user breaks out of its field`() throws {
        let hostile = "x\r\nX-SP-UserId: root\u{0},\"}é日🚢%20\t"
        let fields = headers(
            Viewer(userID: UserID(7), username: hostile, name: hostile, email: hostile, role: .viewer, groups: [hostile, "a,b"]))
        for (name, value) in fields {
            #expect(value.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(name)")
            #expect(value.first != " " && value.last != " ", "\(name)")
        }
        #expect(
            fields["X-Forwarded-User"] == "x%0D%0AX-SP-UserId: root%00,\"}%C3%A9%E6%97%A5%F0%9F%9A%A2%2520%09")
        #expect(fields["X-SP-UserGroups"]?.hasSuffix(",a%2Cb") == true)
        struct PlotlyUser: Decodable { var username: String, groups: [String] }
        let json = try JSONDecoder().decode(PlotlyUser.self, from: Data(try #require(fields["Plotly-User-Data"]).utf8))
        #expect(json.username == hostile && json.groups == [hostile, "a,b"])
    }

    @Test func `the viewer's token verifies against the JWKS document`() async throws {
        try await Harness.run { harness in
            let ada = try await harness.addUser("ada", name: "Ada Lövelace", email: "ada@example.com", groups: ["research"])
            let appID = try await harness.makeApp("sales", owner: ada)
            guard
                case .allow(let headers, let remember) = await harness.service.decide(
                    appID: appID, cookie: try await harness.appCookie("ada", appID))
            else {
                Issue.record("the owner was not let through")
                return
            }
            #expect(remember == .seconds(60))
            let token = try #require(headers.fields.first { $0.name == "X-Moor-Viewer" }?.value)
            let keyID = try #require(headers.fields.first { $0.name == "kid" }?.value)
            #expect(headers.cookie == "kcIdToken=" + Data(token.utf8).base64EncodedString())

            let document = await harness.service.jwks()
            struct Document: Decodable {
                struct Key: Decodable { var kty, use, alg, kid, n, e: String }
                var keys: [Key]
            }
            let keys = try JSONDecoder().decode(Document.self, from: Data(document.utf8)).keys
            #expect(keys.map(\.kid) == [keyID] && keys[0].kty == "RSA" && keys[0].use == "sig" && keys[0].alg == "RS256")

            let collection = try await JWTKeyCollection().add(jwksJSON: document)
            let claims = try await collection.verify(token, as: ViewerClaims.self)
            #expect(
                claims
                    == ViewerClaims(
                        sub: String(ada.userID.rawValue), preferredUsername: "ada", email: "ada@example.com", name: "Ada Lövelace",
                        groups: ["research"], roles: ["developer", "owner"], aud: ["sales", "dash"], iss: "http://localhost:8080",
                        iat: Int(harness.clock.now), exp: Int(harness.clock.now) + 600))
            let header = try #require(Data(base64URL: String(token.prefix { $0 != "." })))
            let fields = try JSONDecoder().decode([String: String].self, from: header)
            #expect(fields == ["alg": "RS256", "typ": "JWT", "kid": keyID])

            var parts = token.split(separator: ".").map(String.init)
            parts[1] = Data(#"{"sub":"1"}"#.utf8).base64URL
            await #expect(throws: (any Error).self) {
                try await collection.verify(parts.joined(separator: "."), as: ViewerClaims.self)
            }
        }
    }
}
