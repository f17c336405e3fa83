package import Hummingbird
package import Logging
package import Models
package import Store

/// The web panel: every page that people see of the platform itself, and the part of the sign-in that runs on apps' hosts.
package struct PanelController: Sendable {
    let store: DataStore
    let accounts: any AccountOperations & Authenticator
    let operations: any AppOperations
    let configuration: PanelConfiguration
    let logger: Logger
    let templates: Templates
    let files: StaticFiles

    /// Loads the templates and static files.
    /// - Throws: `unavailable` where the web folder is missing or a template does not parse.
    package init(
        store: DataStore, accounts: any AccountOperations & Authenticator, operations: any AppOperations,
        configuration: PanelConfiguration, logger: Logger
    ) throws(MoorError) {
        self.store = store
        self.accounts = accounts
        self.operations = operations
        self.configuration = configuration
        self.logger = logger
        templates = try Templates(folder: configuration.webFolder + "/templates")
        files = try StaticFiles(folder: configuration.webFolder + "/static")
    }

    /// Adds every route of the panel, `/_moor/…` for the apps' hosts, and a last one that answers 404 as a page.
    package func addRoutes(to router: Router<BasicRequestContext>) {
        addStaticRoutes(to: router)
        addAppHostRoutes(to: router)
        addSignInRoutes(to: router)
        addOpenRoute(to: router)
        addOverviewRoutes(to: router)
        addAppRoutes(to: router)
        addBuildRoutes(to: router)
        addAccountRoutes(to: router)
        addUsersRoutes(to: router)
        router.get(
            "**",
            use: anyone { _ in throw MoorError(.notFound, "There is no page here", hint: "Check the address, or go back to your apps.") })
    }
}
