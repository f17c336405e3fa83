import API
import Hummingbird
import Logging
import Panel
import Pushes
import ServiceLifecycle

/// Panel, API and git as one Hummingbird application on a private Unix socket: one more upstream to the gateway.
struct ControlPlane: Service {
    var socket: String
    var logger: Logger
    var pushes: PushService
    var api: APIController
    var panel: PanelController

    func run() async throws {
        let router = Router(context: BasicRequestContext.self)
        pushes.addRoutes(to: router)
        api.addRoutes(to: router)
        panel.addRoutes(to: router)
        var logger = logger
        logger.logLevel = max(.info, logger.logLevel)
        let application = Application(
            router: router, server: api.server, configuration: .init(address: .unixDomainSocket(path: socket), serverName: "moor"),
            logger: logger)
        try await application.run()
    }
}
