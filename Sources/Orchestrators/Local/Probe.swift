import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Asks a replica's health path over HTTP/1.1, each time on a connection of its own: a server that works on one connection
/// at a time must not be held by the one who asks how it is.
struct Probe: Sendable {
    let http: HTTPClient

    /// The client a probe needs: a refused connection is an answer at once and not a reason to retry.
    static func makeClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(2)
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// - Parameter deadline: for the head of the answer.
    func get(host: String, port: Int, path: String, deadline: Duration) async throws -> ProbeOutcome {
        var request = HTTPClientRequest(url: "http://\(host):\(port)\(path.hasPrefix("/") ? path : "/" + path)")
        request.headers = ["connection": "close", "user-agent": "moor-health", "host": "localhost"]
        do {
            let answer = try await http.execute(request, timeout: .nanoseconds(Int64(deadline / .nanoseconds(1))))
            // A little of the body is read, so that small servers do not log a broken pipe.
            var seen = 0
            if let iterate = Optional(answer.body) {
                do {
                    for try await chunk in iterate {
                        seen += chunk.readableBytes
                        if seen > 1 << 18 { break }
                    }
                } catch {}
            }
            return .answered(status: Int(answer.status.code))
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout || error == .remoteConnectionClosed {
            return .silent
        } catch let error as HTTPClientError where error == .cancelled {
            throw CancellationError()
        } catch {
            try Task.checkCancellation()
            return .refused
        }
    }
}
