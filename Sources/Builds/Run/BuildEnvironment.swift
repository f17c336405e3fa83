import Foundation

/// What commands of a build get from the host: proxies, package index, trusted certificates, clamped limits.
enum BuildEnvironment {
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

    /// Given to each command and kept out of the image.
    static func variables(_ configuration: BuildsConfiguration, host: [String: String] = ProcessInfo.processInfo.environment) -> [String] {
        var variables = proxyVariables(host)
        variables["HOME"] = "/root"
        variables["SSL_CERT_FILE"] = certificates
        if let index = host["UV_DEFAULT_INDEX"] ?? host["UV_INDEX_URL"] ?? host["PIP_INDEX_URL"] { variables["UV_DEFAULT_INDEX"] = index }
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
