package import Logging
package import Models
import ServiceLifecycle
package import Store

/// git over HTTP, and what a push sets off: authorised, quarantined until its deploy is live.
///
/// `git receive-pack` runs the `moor` binary as its pre-receive hook; that calls back over a private socket, on which
/// `run()` listens, and the deploy runs inside that call. git moves the refs only when the hook says so.
package final class PushService: Service {
    let configuration: PushesConfiguration
    let store: DataStore
    let authenticator: any Authenticator
    let operations: any AppOperations
    let deployer: any PushDeployer
    let appURL: @Sendable (AppName) -> String
    let logger: Logger
    let onListening: @Sendable () -> Void
    let repositories: Repositories
    let secrets = PushSecrets()
    let queue: DeployQueue

    /// - Parameters:
    ///   - operations: creates the app that a push to a free name asks for.
    ///   - deployer: brings a push up, or throws.
    ///   - appURL: where an app answers, for the last line of a push.
    ///   - repositories: those of the platform, where it makes and removes them too.
    ///   - onListening: called when `run()` takes hooks.
    package init(
        configuration: PushesConfiguration, store: DataStore, authenticator: any Authenticator, operations: any AppOperations,
        deployer: any PushDeployer, appURL: @escaping @Sendable (AppName) -> String, logger: Logger,
        repositories: Repositories? = nil, onListening: @escaping @Sendable () -> Void = {}
    ) {
        self.configuration = configuration
        self.store = store
        self.authenticator = authenticator
        self.operations = operations
        self.deployer = deployer
        self.appURL = appURL
        self.logger = logger
        self.onListening = onListening
        self.repositories = repositories ?? Repositories(folder: configuration.repositories)
        queue = DeployQueue(maximumWaiting: configuration.maximumWaiting)
    }
}
