import Logging
import Models

/// One key of the configuration: its name in the file, in the environment, and what its value must be.
struct ConfigurationKey: Sendable {
    /// Dotted, as the nesting in the file.
    var name: String
    /// What a value looks like, for the error.
    var expected: String
    /// Puts the value into the configuration; false where it is not one.
    var apply: @Sendable (String, inout PlatformConfiguration) -> Bool

    var environmentName: String { "MOOR_" + name.uppercased().replacing(".", with: "_") }

    static let all: [ConfigurationKey] = [
        .init(name: "listen", expected: "an address and port such as 127.0.0.1:8080") { text, configuration in
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port) else {
                return false
            }
            let host = text[..<colon].trimmingPrefix("[")
            configuration.listenHost = host.hasSuffix("]") ? String(host.dropLast()) : String(host)
            configuration.listenPort = port
            return !configuration.listenHost.isEmpty
        },
        .text("data", "a folder", \.dataFolder),
        .init(name: "domain", expected: "a host name in lower case such as moorage.example.com") { text, configuration in
            configuration.domain = text
            return !text.isEmpty && text.utf8.count <= 200 && text == text.lowercased() && !text.hasPrefix(".") && !text.hasSuffix(".")
                && text.unicodeScalars.allSatisfy {
                    $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "-" || $0 == ".")
                }
        },
        .init(name: "public.url", expected: "an http or https URL without a path such as https://moorage.example.com") {
            text, configuration in
            let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
            let parts = trimmed.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
            configuration.publicURL = trimmed
            return parts.count == 2 && ["http", "https"].contains(parts[0]) && !parts[1].isEmpty && !parts[1].contains("/")
        },
        .init(name: "engine.kind", expected: "podman or docker") { text, configuration in
            guard let kind = PlatformConfiguration.EngineKind(rawValue: text) else { return false }
            configuration.engineKind = kind
            return true
        },
        .optional("engine.socket", "a Unix socket's path, or nothing", \.engineSocket),
        .text("gpu.kind", "a device's kind such as nvidia.com/gpu", \.gpuKind),
        .optional("base.image", "an image's name, or nothing", \.baseImage),
        .init(name: "buildpacks.path", expected: "folders separated by colons") { text, configuration in
            configuration.buildpackRoots = text.split(separator: ":").map(String.init)
            return !configuration.buildpackRoots.isEmpty
        },
        .init(name: "conda.channels", expected: "names or URLs of conda channels, separated by spaces") { text, configuration in
            configuration.buildpackSettings["conda.channels"] = text
            return !text.split(separator: " ").isEmpty
        },
        .init(name: "conda.mirrors", expected: "CHANNEL=URL, such as conda-forge=https://conda.example.com/forge, separated by spaces") {
            text, configuration in
            configuration.buildpackSettings["conda.mirrors"] = text
            return text.split(separator: " ").allSatisfy { pair in
                let parts = pair.split(separator: "=", maxSplits: 1)
                return parts.count == 2 && parts[1].contains("://")
            }
        },
        .init(name: "cran.url", expected: "a URL such as https://cran.example.com") { text, configuration in
            configuration.buildpackSettings["cran.url"] = text
            return text.contains("://") && !text.contains(" ")
        },
        .init(name: "julia.url", expected: "a URL such as https://julia.example.com") { text, configuration in
            configuration.buildpackSettings["julia.url"] = text
            return text.contains("://") && !text.contains(" ")
        },
        .text("web.path", "a folder", \.webFolder),
        .init(name: "build.cpu", expected: "cores such as 2 or 500m") { text, configuration in
            guard let millis = Quantity.millis(text), millis > 0 else { return false }
            configuration.buildCPUMillis = millis
            return true
        },
        .bytes("build.memory", \.buildMemoryBytes),
        .duration("build.timeout", \.buildTimeout),
        .bytes("build.cache_limit", \.buildCacheBytes),
        .init(name: "build.concurrency", expected: "a number from 1 to 64, or nothing") { text, configuration in
            configuration.buildConcurrency = Int(text)
            return text.isEmpty || Int(text).map { (1...64).contains($0) } == true
        },
        .init(name: "capacity.cpu", expected: "cores such as 8 or 7500m, or nothing") { text, configuration in
            configuration.capacityCPUMillis = Quantity.millis(text)
            return text.isEmpty || Quantity.millis(text).map { $0 > 0 } == true
        },
        .init(name: "capacity.cpu_overcommit", expected: "a whole number from 1 to 1000") { text, configuration in
            guard let factor = Int(text), (1...1000).contains(factor) else { return false }
            configuration.capacityCPUOvercommit = factor
            return true
        },
        .init(name: "capacity.memory", expected: "bytes such as 16Gi, or nothing") { text, configuration in
            configuration.capacityMemoryBytes = Quantity.bytes(text)
            return text.isEmpty || Quantity.bytes(text).map { $0 > 0 } == true
        },
        .bytes("push.limit", \.pushLimitBytes),
        .duration("rollout.drain", \.drainDeadline),
        .init(name: "rollout.draining_releases", expected: "a number from 1 to 20") { text, configuration in
            guard let count = Int(text), (1...20).contains(count) else { return false }
            configuration.drainingReleases = count
            return true
        },
        .duration("rollout.pause_limit", \.pauseLimit),
        .init(name: "releases.keep", expected: "a number from 1 to 1000") { text, configuration in
            guard let count = Int(text), (1...1000).contains(count) else { return false }
            configuration.keptReleases = count
            return true
        },
        .init(name: "commands.limit", expected: "a number from 1 to 1000") { text, configuration in
            guard let count = Int(text), (1...1000).contains(count) else { return false }
            configuration.commandLimit = count
            return true
        },
        .duration("commands.idle", \.commandIdleLimit),
        .init(name: "log.level", expected: "trace, debug, info, notice, warning or error") { text, configuration in
            guard let level = Logger.Level(rawValue: text), level != .critical else { return false }
            configuration.logLevel = level
            return true
        },
        .init(name: "demo", expected: "true or false") { text, configuration in
            guard let value = ["true": true, "1": true, "yes": true, "false": false, "0": false, "no": false][text] else { return false }
            configuration.demo = value
            return true
        },
    ]

    typealias Target<Value> = any WritableKeyPath<PlatformConfiguration, Value> & Sendable

    static func text(_ name: String, _ expected: String, _ path: Target<String>) -> ConfigurationKey {
        .init(name: name, expected: expected) { text, configuration in
            configuration[keyPath: path] = text
            return !text.isEmpty
        }
    }

    static func optional(_ name: String, _ expected: String, _ path: Target<String?>) -> ConfigurationKey {
        .init(name: name, expected: expected) { text, configuration in
            configuration[keyPath: path] = text.isEmpty ? nil : text
            return true
        }
    }

    static func bytes(_ name: String, _ path: Target<Int64>) -> ConfigurationKey {
        .init(name: name, expected: "bytes such as 512Mi or 2Gi") { text, configuration in
            guard let bytes = Quantity.bytes(text), bytes > 0 else { return false }
            configuration[keyPath: path] = bytes
            return true
        }
    }

    static func duration(_ name: String, _ path: Target<Duration>) -> ConfigurationKey {
        .init(name: name, expected: "a time such as 30s, 15m or 2h") { text, configuration in
            guard let duration = Quantity.duration(text), duration >= .zero else { return false }
            configuration[keyPath: path] = duration
            return true
        }
    }
}
