import API
import Accounts
import AsyncHTTPClient
import Builds
import Engine
import Foundation
import Gateway
import Logging
import Models
import NIOCore
import Orchestrators
import Panel
import Pushes
import Releases
import ServiceLifecycle
import Store

/// Every station, made and wired to its neighbours through the protocols in Models.
struct Stations: Sendable {
    let configuration: PlatformConfiguration
    let folder: String
    let store: DataStore
    let http: HTTPClient
    let engineProcess: EngineProcess?
    let accounts: AccountService
    let builds: BuildService
    let orchestrator: LocalOrchestrator
    let releases: ReleaseService
    let pushes: PushService
    let gateway: GatewayService
    let routes: RoutePublisher
    let controlPlane: ControlPlane
    let desk: CommandDesk
    let logger: Logger

    init(configuration: PlatformConfiguration, data: borrowing DataFolder, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        folder = data.path
        let platformID = try data.platformID()
        let sockets = try Sockets(platformID: platformID)
        store = try DataStore(path: data("moor.sqlite"))
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: EngineClient.httpConfiguration)
        let routes = RoutePublisher(store: store, logger: logger.of("routes"))
        self.routes = routes

        let engineSocket = configuration.engineSocket ?? sockets.engine
        let engine = EngineClient(socketPath: engineSocket, http: http)
        engineProcess =
            configuration.engineSocket == nil
            ? EngineProcess(
                configuration: .init(socket: sockets.engine, dataFolder: data("engine"), runFolder: sockets.folder + "/engine"),
                logger: logger.of("engine")) : nil

        accounts = try await AccountService(
            store: store, configuration: .init(keyFolder: data("keys"), issuer: configuration.panelURL),
            viewersChanged: { await routes.viewersChanged() }, logger: logger.of("accounts"))
        let accounts = accounts
        let gateway = GatewayService(
            configuration: .init(
                listenHost: configuration.listenHost, listenPort: configuration.listenPort, panelHost: configuration.domain,
                controlSocket: sockets.control, drainDeadline: configuration.drainDeadline,
                publicScheme: configuration.isSecure ? "https" : "http", insidePort: Self.insidePort, jwks: { await accounts.jwks() }),
            authority: accounts, logger: logger.of("gateway"))
        self.gateway = gateway

        builds = BuildService(
            configuration: .init(
                baseImage: configuration.baseImage, buildpackRoots: configuration.buildpackRoots, logs: data("logs"),
                platformID: platformID,
                caBundle: HostCertificates.bundle,
                limits: .init(
                    cpuMillis: configuration.buildCPUMillis, memoryBytes: configuration.buildMemoryBytes,
                    wallSeconds: Int(configuration.buildTimeout.components.seconds)),
                scratch: data("scratch"), engineTemporaryFolder: engineProcess?.temporaryFolder,
                concurrency: configuration.buildConcurrency ?? BuildsConfiguration.usualConcurrency,
                cacheLimit: configuration.buildCacheBytes, gpus: { GPUInventory.read(kind: configuration.gpuKind).devices.count },
                settings: configuration.buildpackSettings),
            store: store, engine: engine, logger: logger.of("builds"))
        let builds = builds
        let repositories = Repositories(folder: data("repositories"))
        let images = ImageRestorer(store: store, builds: builds, repositories: repositories)

        orchestrator = LocalOrchestrator(
            configuration: .init(
                platformID: platformID, insidePort: Self.insidePort,
                buildEndpoints: BuildEnvironment.endpoints(settings: configuration.buildpackSettings),
                gpuKind: configuration.gpuKind, room: Self.room(configuration)), store: store, engine: engine,
            networkReady: { _, address in
                let port = try await gateway.bindInside(address: address)
                let url = "http://\(address):\(port)/.well-known/jwks.json"
                return ["MOOR_JWKS_URL": url, "DASH_JWKS_URL": url]
            }, restoreImage: { reference throws(MoorError) in try await images.restore(reference) }, logger: logger.of("orchestrator"))

        releases = ReleaseService(
            configuration: .init(
                keyFile: data("keys") + "/config.key", panelURL: configuration.panelURL, appURL: { configuration.url(of: $0) },
                domain: configuration.domain, drainDeadline: configuration.drainDeadline,
                drainingReleases: configuration.drainingReleases, pauseLimit: configuration.pauseLimit,
                keptReleases: configuration.keptReleases),
            store: store, orchestrator: orchestrator,
            traffic: .init(
                refresh: { await routes.refresh() }, drain: { await gateway.drain($0, deadline: $1, webSockets: $2) },
                cut: { await gateway.cutWebSockets($0) }, compare: { await gateway.comparison(of: $0) }),
            removeImages: { ids throws(MoorError) in try await builds.removeImages(ids) },
            removeSource: { app throws(MoorError) in if let id = app.id { try repositories.remove(id) } }, logger: logger.of("releases"))

        let releases = releases
        let orchestrator = orchestrator
        await builds.attach(
            .init(
                values: { app throws(MoorError) in try await releases.buildConfig(appID: app) },
                network: { slot throws(MoorError) in try await orchestrator.buildsNetwork(slot: slot) },
                ceilings: { app throws(MoorError) in try await releases.ceilings(appID: app) }))

        desk = CommandDesk(limit: configuration.commandLimit)
        let operations = PlatformOperations(
            store: store, configuration: configuration, builds: builds, releases: releases, orchestrator: orchestrator, routes: routes,
            repositories: repositories, desk: desk)
        pushes = PushService(
            configuration: .init(
                repositories: data("repositories"), hookSocket: sockets.hook, moorExecutable: try Self.executable(),
                hooksFolder: data("hooks"), maximumPushBytes: configuration.pushLimitBytes),
            store: store, authenticator: accounts, operations: operations,
            deployer: PushPipeline(builds: builds, releases: releases, logger: logger.of("deploy")),
            appURL: { configuration.url(of: $0) }, logger: logger.of("pushes"), repositories: repositories)

        controlPlane = ControlPlane(
            socket: sockets.control, logger: logger.of("control"),
            pushes: pushes,
            api: APIController(
                store: store, authenticator: accounts, accounts: accounts, operations: operations, builds: operations,
                commands: operations, version: Platform.version,
                logger: logger.of("api"), commandIdleLimit: configuration.commandIdleLimit),
            panel: try PanelController(
                store: store, accounts: accounts, operations: operations,
                configuration: .init(
                    panelURL: configuration.panelURL, appURL: { configuration.url(of: $0) }, appForHost: { configuration.app(forHost: $0) },
                    webFolder: configuration.webFolder, secureCookies: configuration.isSecure),
                logger: logger.of("panel")))
        await routes.attach(orchestrator: orchestrator, traffic: gateway, serving: { await releases.serving() })
    }

    /// In the order they start; they stop in reverse, so commands end and the gateway drains first, and the engine goes last.
    func services(stopApps: Bool) -> [any Service] {
        var services: [any Service] = []
        if let engineProcess { services.append(engineProcess) }
        services.append(AppStopper(orchestrator: orchestrator, isWanted: stopApps))
        services += [
            orchestrator, accounts, releases, pushes, controlPlane, routes, gateway, desk, Startup(stations: self, logger: logger),
        ]
        return services
    }

    /// Takes up where the last run ended, however it ended.
    func resume() async throws {
        try await orchestrator.adopt()
        try await pushes.resume()
        try await builds.resume()
        try await releases.resume()
        await routes.refresh()
    }

    /// Where the gateway listens for apps, on the host's address of each app's network; the firewall lets in nothing else.
    private static let insidePort = 7911

    /// What apps may ask for together.
    private static func room(_ configuration: PlatformConfiguration) -> Room {
        let host = HostCapacity.read().forApps
        return Room(
            cpuMillis: (configuration.capacityCPUMillis ?? host.cpuMillis) * configuration.capacityCPUOvercommit,
            memoryBytes: configuration.capacityMemoryBytes ?? host.memoryBytes)
    }

    /// The running binary's own path, which git calls as its hook.
    private static func executable() throws(MoorError) -> String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            throw MoorError(.unavailable, "the path of the moor binary cannot be read from /proc", cause: error)
        }
    }
}

/// Stops the apps' containers once everything before it in the shutdown has stopped, where that was asked for.
struct AppStopper: Service {
    var orchestrator: LocalOrchestrator
    var isWanted: Bool

    func run() async throws {
        try? await gracefulShutdown()
        if isWanted { await orchestrator.stopAll() }
    }
}

/// Where the platform's private sockets lie: outside the data folder, whose path may be longer than a socket's may be.
struct Sockets {
    let folder: String
    var engine: String { folder + "/engine.sock" }
    var control: String { folder + "/control.sock" }
    var hook: String { folder + "/hook.sock" }

    init(platformID: String) throws(MoorError) {
        let base = FileManager.default.isWritableFile(atPath: "/run") ? "/run" : FileManager.default.temporaryDirectory.path
        folder = "\(base)/moorage/\(platformID)"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw MoorError(.unavailable, "the folder \(folder) for sockets cannot be made", hint: "check its permissions", cause: error)
        }
        for socket in [control, hook] { try? FileManager.default.removeItem(atPath: socket) }
    }
}

/// The certificates that this host trusts, which builds are given for their time.
enum HostCertificates {
    static var bundle: String? {
        let named = ProcessInfo.processInfo.environment["SSL_CERT_FILE"]
        return [named, "/etc/ssl/certs/ca-certificates.crt"].compactMap { $0 }.first { FileManager.default.isReadableFile(atPath: $0) }
    }
}

extension Logger {
    func of(_ station: String) -> Logger {
        var logger = Logger(label: "moor.\(station)")
        logger.logLevel = logLevel
        return logger
    }
}
