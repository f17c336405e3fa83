import Models

/// A viewer's fields as the bytes that are appended to each request, rendered once per decision.
final class RenderedViewer: Sendable {
    /// "Name: value" lines with their CRLFs.
    let lines: [UInt8]
    /// A cookie pair; nil for none.
    let cookie: [UInt8]?
    let seesDetails: Bool

    /// Fields that could break out of their line are left out: what stands here came from user names and groups.
    init(_ headers: ViewerHeaders) {
        var lines: [UInt8] = []
        for field in headers.fields
        where !field.name.isEmpty && field.name.utf8.allSatisfy(FieldTable.request.isToken)
            && field.value.utf8.allSatisfy(FieldTable.request.isValid(valueByte:))
        {
            lines.append(contentsOf: "\(field.name): \(field.value)\r\n".utf8)
        }
        self.lines = lines
        cookie = headers.cookie.flatMap { cookie in
            !cookie.isEmpty && cookie.utf8.allSatisfy(FieldTable.request.isValid(valueByte:)) ? Array(cookie.utf8) : nil
        }
        seesDetails = headers.seesDetails
    }
}

/// A `ViewerDecision` as one event loop remembers it.
enum RememberedDecision: Sendable {
    case allow(RenderedViewer)
    case signIn
    case forbidden(username: String)
}

/// Whom a decision is about.
struct ViewerKey: Hashable, Sendable {
    var appID: AppID
    /// Nil and empty are the same: nobody.
    var cookie: String?
}
