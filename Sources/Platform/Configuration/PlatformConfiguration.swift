package import Logging
package import Models

/// Everything a platform can be told, after the defaults, the file and the environment were read, in that order.
package struct PlatformConfiguration: Sendable {
    package var listenHost = "127.0.0.1"
    package var listenPort = 8080
    package var dataFolder = ".moorage"
    package var domain = "localhost"
    /// As people type it, without a trailing slash; nil: made from domain and port.
    package var publicURL: String?
    package var engineKind = EngineKind.podman
    /// nil: a Podman of our own.
    package var engineSocket: String?
    /// nil: made from Debian's packages.
    package var baseImage: String?
    package var buildpackRoots = ["buildpacks"]
    /// What buildpacks are told where they ask for it, by key.
    package var buildpackSettings = [
        "conda.channels": "conda-forge", "conda.mirrors": "", "cran.url": "https://cloud.r-project.org",
        "julia.url": "https://julialang-s3.julialang.org",
    ]
    package var gpuKind = "nvidia.com/gpu"
    package var webFolder = "web"
    package var buildCPUMillis = 2000
    package var buildMemoryBytes: Int64 = 4 << 30
    /// nil: half of the host's cores.
    package var buildConcurrency: Int?
    package var buildCacheBytes: Int64 = 10 << 30
    package var buildTimeout = Duration.seconds(900)
    /// nil: all cores.
    package var capacityCPUMillis: Int?
    /// How many times the cores may be promised: CPU that is not used is lent, memory is not.
    package var capacityCPUOvercommit = 10
    /// nil: most of what this host has.
    package var capacityMemoryBytes: Int64?
    package var pushLimitBytes: Int64 = 2 << 30
    package var drainDeadline = Duration.seconds(60)
    package var drainingReleases = 2
    package var pauseLimit = Duration.seconds(3600)
    package var keptReleases = 10
    /// Commands of one app at the same time.
    package var commandLimit = 8
    package var commandIdleLimit = Duration.seconds(4 * 3600)
    package var logLevel = Logger.Level.info
    package var demo = true
    /// Of the first start's admin; from the environment alone, so that it lies in no file.
    package var adminPassword: String?

    package enum EngineKind: String, Sendable, CaseIterable {
        case podman, docker
    }

    package init() {}

    /// The panel's URL, without a trailing slash.
    package var panelURL: String {
        publicURL ?? (listenPort == 80 ? "http://\(domain)" : "http://\(domain):\(listenPort)")
    }

    /// Whether people reach the platform over TLS.
    package var isSecure: Bool { panelURL.hasPrefix("https://") }

    /// `http://sales.localhost:8080` for the app `sales`.
    package func url(of app: AppName) -> String {
        let parts = panelURL.split(separator: "://", maxSplits: 1)
        let port = parts[1].split(separator: ":", maxSplits: 1).dropFirst().first.map { ":\($0)" } ?? ""
        return "\(parts[0])://\(host(of: app))\(port)"
    }

    package func host(of app: AppName) -> String { "\(app).\(domain)" }

    /// The app whose host that is; nil for any other host. `host` may carry a port.
    package func app(forHost host: String) -> AppName? {
        let name = host.split(separator: ":", maxSplits: 1).first.map { $0.lowercased() } ?? ""
        guard name.hasSuffix(".\(domain)") else { return nil }
        return AppName(rawValue: String(name.dropLast(domain.count + 1)))
    }
}
