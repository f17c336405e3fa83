import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Models
import NIOCore

/// Style, script and icon, held in memory and named by their contents' hash, so that browsers keep them until they change.
struct StaticFiles: Sendable {
    private struct File: Sendable {
        var bytes: ByteBuffer
        var tag: String
        var type: String
    }

    private let files: [String: File]
    private static let types = ["css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"]

    init(folder: String) throws(MoorError) {
        do {
            var files: [String: File] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                guard let type = Self.types[String(name.split(separator: ".").last ?? "")] else { continue }
                let data = try Data(contentsOf: URL(filePath: folder).appending(path: name))
                let tag = SHA256.hash(data: data).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                files[name] = File(bytes: ByteBuffer(bytes: data), tag: tag, type: type)
            }
            self.files = files
        } catch {
            throw MoorError(
                .unavailable, "the panel's static files cannot be read (\(folder))",
                hint: "check that the web folder is the one of this version", cause: error)
        }
    }

    /// The file's path with its version.
    func url(_ name: String, onAppHost: Bool) -> String { "\(onAppHost ? "/_moor" : "")/static/\(name)?v=\(files[name]?.tag ?? "")" }

    /// - Parameter version: what the URL asked for; a right one may be kept for a year.
    func response(_ name: String, version: String?, ifNoneMatch: String?) -> Response? {
        guard let file = files[name] else { return nil }
        let tag = "\"\(file.tag)\""
        var headers: HTTPFields = [.eTag: tag, .xContentTypeOptions: "nosniff"]
        headers[.cacheControl] = version == file.tag ? "public, max-age=31536000, immutable" : "public, no-cache"
        if let ifNoneMatch, ifNoneMatch == "*" || ifNoneMatch.contains(tag) { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = file.type
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.bytes))
    }
}

extension PanelController {
    func addStaticRoutes(to router: Router<BasicRequestContext>) {
        for prefix: RouterPath in ["/static/:file", "/_moor/static/:file"] { router.get(prefix, use: staticFile) }
        router.get("/favicon.ico") { request, _ in
            files.response("mark.svg", version: nil, ifNoneMatch: request.headers[.ifNoneMatch]) ?? Response(status: .notFound)
        }
    }

    @Sendable private func staticFile(_ request: Request, _ context: BasicRequestContext) -> Response {
        let version = FormFields(query: request.uri.query)["v"]
        let name = context.parameters.get("file") ?? ""
        return files.response(name, version: version, ifNoneMatch: request.headers[.ifNoneMatch]) ?? Response(status: .notFound)
    }
}
