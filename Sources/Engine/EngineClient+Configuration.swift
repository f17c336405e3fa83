package import AsyncHTTPClient
import NIOCore

extension EngineClient {
    /// How the `HTTPClient` of an engine should be set: followed logs and events each hold a connection for hours, so the
    /// pool must not be what they and the short calls queue for, and a refused connection is told at once.
    package static var httpConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
