import Foundation

/// What commands of a build get from the host: proxies, package index, trusted certificates, clamped limits.
package enum BuildEnvironment {
    /// Where Debian has the trusted certificates; the host's are mounted over it for the build.
    static let certificates = "/etc/ssl/certs/ca-certificates.crt"

    private static let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]

    /// Proxy variables in both spellings, as tools differ in which they read.
    static func proxyVariables(_ host: [String: String] = ProcessInfo.processInfo.environment) -> [String: String] {
        var variables: [String: String] = [:]
        for name in proxies {
            guard let value = host[name] ?? host[name.lowercased()] else { continue }
            variables[name] = value
            variables[name.lowercased()] = value
        }
        return variables
    }

    /// What a build must reach by configuration of the host: its package indexes, Debian mirrors and proxies, as "host:port".
    package static func endpoints(
        _ host: [String: String] = ProcessInfo.processInfo.environment, settings: [String: String] = [:]
    ) -> [String] {
        let indexes = ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"].compactMap { host[$0] }
        let proxies = proxyVariables(host).filter { $0.key.uppercased() != "NO_PROXY" }.values
        let words = (indexes + proxies + settings.values + AptSources.host(suite: BaseRecipe().suite)).flatMap {
            $0.split { $0 == " " || $0 == "," }
        }
        let found = words.compactMap { word -> String? in
            // An index may be given with a name: name=https://…
            let text = word.split(separator: "=", maxSplits: 1).last { $0.contains("://") } ?? word
            guard let url = URL(string: String(text)), let scheme = url.scheme, let name = url.host(), !name.isEmpty else { return nil }
            let usual = ["http": 80, "https": 443, "socks5": 1080]
            return (url.port ?? usual[scheme]).map { "\(name):\($0)" }
        }
        return Set(found).sorted()
    }

    /// Given to each command and kept out of the image.
    /// - Parameter values: the app's build config, which wins.
    static func variables(
        _ configuration: BuildsConfiguration, values: [String: String] = [:],
        host: [String: String] = ProcessInfo.processInfo.environment
    ) -> [String] {
        var variables = proxyVariables(host)
        variables["HOME"] = "/root"
        variables["SSL_CERT_FILE"] = certificates
        if let index = host["UV_DEFAULT_INDEX"] ?? host["UV_INDEX_URL"] ?? host["PIP_INDEX_URL"] { variables["UV_DEFAULT_INDEX"] = index }
        variables.merge(values) { $1 }
        return variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// The host's hard limits, or less: root without CAP_SYS_RESOURCE cannot give more than it has, and Podman lowers its
    /// own limit of processes to 32768.
    static func rlimits() -> [String: Int] {
        ["nofile": min(hardLimit(RLIMIT_NOFILE), 65_536), "nproc": min(hardLimit(__RLIMIT_NPROC), 32_768)]
    }

    private static func hardLimit(_ resource: __rlimit_resource) -> Int {
        var limit = rlimit()
        // The call fills the struct it is given and keeps no pointer to it.
        guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_max)
    }
}
