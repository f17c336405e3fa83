import HTTPTypes
import Hummingbird
import Logging
import Models
import NIOCore

extension PanelController {
    /// A page that grows while the work goes on: each line of its log as it comes, then how it ended. Plain HTML, so it
    /// needs no script; the work goes on where the browser leaves.
    func progressPage(
        _ title: String, back: String, _ visit: Visit, work: @escaping @Sendable (DeployLog) async throws(MoorError) -> String
    ) throws(MoorError) -> Response {
        let marker = "<!-- progress -->"
        let html = try templates.render(["title": title, "back": back], frame: frame(title, visit, tab: .apps), template: "progress")
        guard let split = html.firstRange(of: marker) else {
            throw MoorError(.internalError, "the page cannot be shown", hint: "the template progress.mustache lacks its marker")
        }
        let (head, tail) = (String(html[..<split.lowerBound]), String(html[split.upperBound...]))
        let logger = logger
        let body = ResponseBody { writer in
            // Bounded: a browser that stops reading loses the oldest lines, and holds nothing up.
            let (lines, sink) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1_000))
            async let ending = Self.ending(title, logger: logger) { () async throws(MoorError) -> String in
                defer { sink.finish() }
                return try await work(DeployLog { sink.yield(Self.escaped($0) + "\n") })
            }
            // Written into a browser that has gone, the first line throws; the work is awaited to its end all the same.
            var hasGone = false
            do { try await writer.write(ByteBuffer(string: head)) } catch { hasGone = true }
            for await line in lines where !hasGone {
                do { try await writer.write(ByteBuffer(string: line)) } catch { hasGone = true }
            }
            let end = await ending
            guard !hasGone else { return }
            try await writer.write(ByteBuffer(string: end + tail))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/html; charset=utf-8"], body: body)
    }

    /// Does the work, and says in HTML how it ended.
    private static func ending(
        _ title: String, logger: Logger, work: @Sendable () async throws(MoorError) -> String
    ) async -> String {
        do throws(MoorError) {
            return "</pre>" + message("good", try await work(), nil)
        } catch {
            logger.info("work asked for in the panel failed", metadata: ["work": "\(title)", "error": "\(error.message)"])
            let problem = Problem(error)
            let detail = problem.detail.map { escaped($0) + "\n" } ?? ""
            return detail + "</pre>" + message("bad", problem.message, problem.hint)
        }
    }

    private static func message(_ kind: String, _ text: String, _ hint: String?) -> String {
        let hint = hint.map { "<p>\(escaped($0))</p>" } ?? ""
        return #"<div class="message \#(kind)" role="status"><p><strong>\#(escaped(text))</strong></p>\#(hint)</div>"#
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
