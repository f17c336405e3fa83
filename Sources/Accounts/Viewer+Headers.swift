import Foundation
import Models

extension Viewer {
    /// Every header family of DESIGN.md, "Viewer metadata", each as its readers expect it.
    func headers(token: String, keyID: String) -> ViewerHeaders {
        var fields = [
            ViewerHeaders.Field("X-Moor-Viewer", token),
            ViewerHeaders.Field("X-Forwarded-User", FieldValue.text(username)),
        ]
        if !email.isEmpty { fields.append(.init("X-Forwarded-Email", FieldValue.text(email))) }
        fields.append(.init("X-Forwarded-Preferred-Username", FieldValue.text(username)))
        if !groups.isEmpty { fields.append(.init("X-Forwarded-Groups", FieldValue.list(groups))) }
        fields += [
            .init("Plotly-User-Data", plotlyUserData),
            .init("kid", keyID),
            .init("RStudio-Connect-Credentials", connectCredentials),
            .init("X-SP-UserId", FieldValue.text(username)),
            .init("X-SP-UserGroups", FieldValue.list(groups)),
        ]
        // dash-enterprise-auth decodes the cookie with base64.b64decode, which wants the standard alphabet and padding.
        let cookie = "kcIdToken=" + Data(token.utf8).base64EncodedString()
        return ViewerHeaders(fields: fields, cookie: cookie, seesDetails: seesDetails)
    }

    /// Dash Enterprise 4.
    private var plotlyUserData: String {
        #"{"username":\#(ASCIIJSON.string(username)),"email":\#(ASCIIJSON.string(email)),"groups":\#(ASCIIJSON.array(groups))}"#
    }

    /// Posit Connect.
    private var connectCredentials: String {
        #"{"user":\#(ASCIIJSON.string(username)),"groups":\#(ASCIIJSON.array(groups))}"#
    }
}
