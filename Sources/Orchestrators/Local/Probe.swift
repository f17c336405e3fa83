import AsyncHTTPClient
import Engine
import Models
import NIOCore
import NIOHTTP1
import NIOPosix

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

    /// Whether the port takes a connection.
    func connect(host: String, port: Int, deadline: Duration) async throws -> ProbeOutcome {
        do {
            let timeout = TimeAmount.nanoseconds(Int64(min(deadline, .seconds(2)) / .nanoseconds(1)))
            let channel = try await ClientBootstrap(group: http.eventLoopGroup).connectTimeout(timeout).connect(host: host, port: port)
                .get()
            try? await channel.close()
            return .connected
        } catch {
            try Task.checkCancellation()
            return .refused
        }
    }

    /// Runs the command in the container and gives its exit code; one that does not end in time is killed, by the shell that
    /// started it: an engine lets it go on.
    static func run(_ command: String, in containerID: String, engine: EngineClient, deadline: Duration) async throws -> Int {
        let limit = max(1, Int((deadline / .seconds(1)).rounded(.up)))
        // The waiting one keeps none of the streams open that the engine listens to.
        let guarded = """
            /bin/sh -c "$1" & c=$!
            ( sleep \(limit); kill -9 $c ) </dev/null >/dev/null 2>&1 & w=$!
            wait $c; s=$?; kill $w 2>/dev/null; exit $s
            """
        return try await engine.execute(
            BuildCommand(arguments: ["/bin/sh", "-c", guarded, "check", command], user: "", environment: []), in: containerID,
            deadline: .seconds(limit + 5)
        ) { _ in }
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
