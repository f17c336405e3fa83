import Crypto
import Foundation

/// Protection of forms against other sites: each carries an HMAC that only a page which was shown to the holder of the
/// cookie can have. Bound to the session; before there is one, to a cookie made for the sign-in form.
enum FormToken {
    /// - Parameter cookie: the secret value that the browser holds and other sites cannot read.
    static func make(for cookie: String) -> String {
        HMAC<SHA256>.authenticationCode(for: Data("moor form".utf8), using: SymmetricKey(data: Data(cookie.utf8)))
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    static func isValid(_ token: String?, for cookie: String) -> Bool { token.map { equal($0, make(for: cookie)) } ?? false }

    /// Compares without telling by its time where the two differ.
    static func equal(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        return a.count == b.count && zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// 256 random bits in base64url.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return Data((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Whether it has the shape that `random` gives.
    static func isRandom(_ text: String) -> Bool {
        text.utf8.count == 43 && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    }
}
