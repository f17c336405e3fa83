import Foundation
import HTTPTypes
package import Hummingbird
import Logging
import Models
import NIOCore

extension PushService {
    /// Adds git's smart HTTP service (gitprotocol-http(5)) under `/git/<app>.git/`.
    package func addRoutes(to router: Router<BasicRequestContext>) {
        router.get("git/{app}.git/info/refs") { request, context in
            await self.answer { () throws(MoorError) in try await self.advertise(request, app: context.parameters.get("app") ?? "") }
        }
        router.post("git/{app}.git/git-upload-pack") { request, context in
            await self.answer { () throws(MoorError) in
                try await self.exchange(request, app: context.parameters.get("app") ?? "", service: .uploadPack)
            }
        }
        router.post("git/{app}.git/git-receive-pack") { request, context in
            await self.answer { () throws(MoorError) in
                try await self.exchange(request, app: context.parameters.get("app") ?? "", service: .receivePack)
            }
        }
    }

    /// The list of refs that begins a fetch or a push.
    private func advertise(_ request: Request, app name: String) async throws(MoorError) -> Response {
        guard let service = request.uri.queryParameters.get("service").flatMap(GitService.init(rawValue:)) else {
            throw MoorError(.forbidden, "only git's smart HTTP protocol is served here", hint: "update git to version 1.6.6 or later")
        }
        let access = try await authorize(request, app: name, service: service, mayCreate: true)
        if service == .receivePack { try checkFreeSpace(expecting: 0) }
        let command = try command(service, for: access, request: request, isAdvertisement: true)
        return Response(
            status: .ok, headers: Self.headers("application/x-\(service.rawValue)-advertisement"),
            body: ResponseBody { writer in
                let announcement = service.announcement(protocolVersion: command.protocolVersion)
                if !announcement.isEmpty { try await writer.write(ByteBuffer(string: announcement)) }
                try await self.run(command, body: nil, writer: &writer)
                try await writer.finish(nil)
            })
    }

    /// One request of the exchange itself.
    private func exchange(_ request: Request, app name: String, service: GitService) async throws(MoorError) -> Response {
        guard request.headers[.contentType] == "application/x-\(service.rawValue)-request" else {
            throw MoorError(.invalid, "only git's smart HTTP protocol is served here")
        }
        let encoding = request.headers[.contentEncoding]
        guard encoding == nil || encoding == "gzip" || encoding == "x-gzip" else {
            throw MoorError(.invalid, "the request body's encoding is not gzip")
        }
        let access = try await authorize(request, app: name, service: service, mayCreate: false)
        let length = request.headers[.contentLength].flatMap { Int64($0) } ?? 0
        guard length <= configuration.maximumPushBytes + Self.requestSlack else { throw tooLarge }
        if service == .receivePack { try checkFreeSpace(expecting: length) }
        let command = try command(service, for: access, request: request, isAdvertisement: false)
        var headers = Self.headers("application/x-\(service.rawValue)-result")
        // Watching for the client to hang up uses the connection up.
        headers[.connection] = "close"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await self.serve(command, request: request, isCompressed: encoding != nil, writer: &writer)
                try await writer.finish(nil)
            })
    }

    /// For the commands before a pack, which `receive.maxInputSize` does not count.
    static let requestSlack: Int64 = 8 << 20

    var tooLarge: MoorError {
        MoorError(
            .invalid, "the push is larger than \(configuration.maximumPushBytes >> 20) MiB", hint: "keep data out of git (see .gitignore)")
    }

    private func checkFreeSpace(expecting bytes: Int64) throws(MoorError) {
        let free = repositories.freeBytes()
        guard free - bytes >= configuration.minimumFreeBytes else {
            logger.error("the repositories' disk is full", metadata: ["free": "\(free)"])
            throw .diskFull
        }
    }

    private static func headers(_ contentType: String) -> HTTPFields {
        [
            .contentType: contentType, .cacheControl: "no-cache, max-age=0, must-revalidate", HTTPField.Name("Pragma")!: "no-cache",
            .expires: "Fri, 01 Jan 1980 00:00:00 GMT",
        ]
    }

    /// A failure as git shows it: the text of an answer that is plain text appears as "remote: …" in the terminal.
    private func answer(_ body: () async throws(MoorError) -> Response) async -> Response {
        do throws(MoorError) { return try await body() } catch {
            if error.code == .internalError || error.code == .unavailable {
                logger.error("a git request failed", metadata: ["message": "\(error.message)", "cause": "\(error.cause ?? "")"])
            }
            var headers = Self.headers("text/plain; charset=utf-8")
            if error.code == .unauthenticated { headers[.wwwAuthenticate] = "Basic realm=\"Moorage\", charset=\"UTF-8\"" }
            if let seconds = error.retryAfterSeconds { headers[.retryAfter] = String(seconds) }
            headers[.connection] = "close"
            return Response(
                status: .init(code: error.code.httpStatus), headers: headers,
                body: ResponseBody(byteBuffer: ByteBuffer(string: error.lines.joined(separator: "\n") + "\n")))
        }
    }
}
