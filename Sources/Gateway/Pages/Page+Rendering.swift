import NIOCore

extension Page {
    /// Writes the whole answer.
    /// - Parameter connection: writes the `Connection` line, where one is needed.
    func write(asHTML: Bool, omittingBody: Bool, into out: inout ByteBuffer, connection: (inout ByteBuffer) -> Void) {
        let body = asHTML ? html : json
        out.writeString("HTTP/1.1 \(status) \(Self.reason(status))\r\n")
        out.writeString("Content-Type: \(asHTML ? "text/html; charset=utf-8" : "application/json")\r\n")
        out.writeString("Content-Length: \(body.utf8.count)\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        if asHTML { out.writeStaticString("Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n") }
        if let location { out.writeString("Location: \(location)\r\n") }
        if let retryAfter { out.writeString("Retry-After: \(retryAfter)\r\n") }
        connection(&out)
        out.writeStaticString("\r\n")
        if !omittingBody { out.writeString(body) }
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 302: "Found"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 408: "Request Timeout"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "HTTP Version Not Supported"
        }
    }

    private var json: String {
        var members = ["\"code\":\(quoted(code))", "\"message\":\(quoted(title))", "\"hint\":\(quoted(text))"]
        if let detail { members.append("\"detail\":\(quoted(detail))") }
        if let requestID { members.append("\"request\":\(quoted(Self.hexadecimal(requestID)))") }
        return "{\"error\":{\(members.joined(separator: ","))}}\n"
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// RFC 8259 section 7
    private func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private func escaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    private var html: String {
        let refresh = retryAfter.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" } ?? ""
        let detail = self.detail.map { "<p class=\"detail\"><span>For the owner</span>\(escaped($0))</p>\n" } ?? ""
        let link = self.link.map { "<p><a href=\"\(escaped($0.address))\">\(escaped($0.text))</a></p>\n" } ?? ""
        let request = requestID.map { " · request \(Self.hexadecimal($0))" } ?? ""
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            \(refresh)<title>\(escaped(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <main>
            <h1>\(escaped(title))</h1>
            <p>\(escaped(text))</p>
            \(detail)\(link)</main>
            <footer>Moorage · \(status)\(request)</footer>
            </body>
            </html>

            """
    }

    private static let style = """
        :root{--ink:#1b2733;--soft:#5b6b7b;--ground:#f4f6f8;--card:#fff;--line:#dde3e9;--accent:#0b6e8f}\
        @media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#93a4b5;--ground:#10171e;--card:#182129;--line:#2a3641;--accent:#58b8d8}}\
        *{box-sizing:border-box}body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;\
        justify-content:center;gap:1rem;padding:1.5rem;background:var(--ground);color:var(--ink);\
        font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}\
        main{width:100%;max-width:34rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:12px;\
        border-top:4px solid var(--accent)}h1{margin:0 0 .6rem;font-size:1.45rem;line-height:1.25;overflow-wrap:anywhere}p{margin:.6rem 0 0}\
        .detail{padding:.8rem 1rem;background:var(--ground);border-radius:8px;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;\
        overflow-wrap:anywhere}.detail span{display:block;color:var(--soft);font:12px system-ui,sans-serif}\
        a{color:var(--accent)}footer{color:var(--soft);font-size:.8rem}
        """
}
