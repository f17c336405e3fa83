import Models
import Yams

/// `moor.yaml`: what the app asks for beside its Procfile. Every value is optional.
struct AppSpec: Sendable, Hashable {
    struct Process: Sendable, Hashable {
        var name: String
        var line: Int
        var command: String?
        var replicas: Int?
        var cpuMillis: Int?
        var memoryBytes: Int64?
        var pids: Int?
        var diskBytes: Int64?
        var gpus: GPUWish?
        var health: Health?
        /// Where each key stands, by its path within the process, such as "resources.memory".
        var lines: [String: Int] = [:]

        /// What of `resources` it names.
        var declared: [ResourceKey] { ResourceKey.allCases.filter { lines["resources.\($0.rawValue)"] != nil } }
        var rollout: RolloutStrategy?
    }

    /// What is said of a process's health check.
    struct Health: Sendable, Hashable {
        var line: Int
        var path: String?
        var isTCP = false
        var command: String?
        var timeoutSeconds: Int?
        var intervalSeconds: Int?
        var failures: Int?
        /// 0: never.
        var restartAfterSeconds: Int?
    }

    /// `resources.gpu`.
    enum GPUWish: Sendable, Hashable {
        case count(Int)
        /// One where the host has one.
        case optional

        init?(_ text: String) {
            if text == "optional" {
                self = .optional
            } else if let count = Int(text), (0...16).contains(count) {
                self = .count(count)
            } else {
                return nil
            }
        }
    }

    static let file = "moor.yaml"

    /// `build.buildpack`.
    var buildpack: Detection.Wanted?
    var processes: [Process] = []
    /// Of `web`.
    var health: Health?
    /// Of `web`.
    var drain: DrainTimes?

    /// - Throws: `appFailed` naming file, line and key.
    init(_ text: String) throws(MoorError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Self.unreadable(error)
        }
        guard let root, root.null == nil else { return }
        for (key, value) in try Field(key: "", node: root).fields(["build", "processes", "health", "drain"]) {
            if key == "build" {
                for (_, value) in try value.fields(["buildpack"]) {
                    buildpack = .init(name: try value.text("the name of a buildpack"), place: "\(Self.file) line \(value.line)")
                }
            } else if key == "processes" {
                for process in try value.fields(nil) { processes.append(try Self.process(process.key, process.field)) }
            } else if key == "drain" {
                drain = try Self.drain(value)
            } else {
                health = try Self.health(value)
            }
        }
    }

    private static func health(_ field: Field) throws(MoorError) -> Health {
        var health = Health(line: field.line)
        for (key, value) in try field.fields(["path", "tcp", "command", "timeout", "interval", "failures", "restart_after"]) {
            switch key {
            case "path":
                let path = try value.text("a path such as /healthz")
                guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                    throw value.error("expects a path that begins with /, such as /healthz")
                }
                health.path = path
            case "tcp": health.isTCP = try value.quantity("true or false") { ["true": true, "false": false][$0] }
            case "command": health.command = try value.command()
            case "timeout": health.timeoutSeconds = try value.quantity("a time of at most an hour, such as 60s", Quantity.seconds)
            case "interval": health.intervalSeconds = try value.quantity("a time of at most an hour, such as 10s", Quantity.seconds)
            case "failures":
                health.failures = try value.quantity("a whole number from 1 to 100") {
                    Int($0).flatMap { (1...100).contains($0) ? $0 : nil }
                }
            default:
                let expected = "a time of at most an hour, such as 60s, or never"
                health.restartAfterSeconds = try value.quantity(expected) { (text) -> Int? in text == "never" ? 0 : Quantity.seconds(text) }
            }
        }
        guard [health.path != nil, health.isTCP, health.command != nil].count(where: \.self) <= 1 else {
            throw field.error("has more than one of path, tcp and command")
        }
        return health
    }

    private static func process(_ name: String, _ field: Field) throws(MoorError) -> Process {
        guard Procfile.isName(name) else {
            throw field.error("is not a process name: use at most 32 letters, digits, - and _")
        }
        var process = Process(name: name, line: field.line)
        for (key, value) in try field.fields(["command", "replicas", "resources", "health", "rollout", "autoscale"]) {
            process.lines[key] = value.line
            switch key {
            case "command":
                process.command = try value.command()
            case "replicas":
                process.replicas = try value.quantity("a whole number from 0 to 100") {
                    Int($0).flatMap { (0...100).contains($0) ? $0 : nil }
                }
            case "resources":
                for (key, value) in try value.fields(ResourceKey.allCases.map(\.rawValue)) {
                    process.lines["resources.\(key)"] = value.line
                    switch key {
                    case "cpu": process.cpuMillis = try value.quantity("cores such as 500m or 2", Quantity.cpuMillis)
                    case "memory": process.memoryBytes = try value.quantity("at least 6Mi, such as 512Mi or 1Gi", Quantity.bytes)
                    case "pids":
                        process.pids = try value.quantity("a whole number from 16 to 32768") {
                            Int($0).flatMap { (16...32768).contains($0) ? $0 : nil }
                        }
                    case "disk": process.diskBytes = try value.quantity("at least 6Mi, such as 2Gi", Quantity.bytes)
                    default: process.gpus = try value.quantity("a number of GPUs from 0 to 16, or optional", GPUWish.init)
                    }
                }
            case "health": process.health = try health(value)
            case "rollout": process.rollout = try rollout(value)
            default:
                throw value.error("is not supported by this platform yet: set replicas instead")
            }
        }
        return process
    }

    /// - Throws: `appFailed` naming the first key whose value is above what any one replica of the app may have, with its line.
    func check(_ ceilings: [Ceiling]) throws(MoorError) {
        for process in processes {
            for ceiling in ceilings {
                try process.check("replicas", process.replicas, ceiling.quota.replicas, ceiling) { "\($0)" }
                try process.check("resources.cpu", process.cpuMillis, ceiling.quota.cpuMillis, ceiling) { Models.Quantity.text(millis: $0) }
                try process.check("resources.memory", process.memoryBytes, ceiling.quota.memoryBytes, ceiling) {
                    Models.Quantity.text(bytes: $0)
                }
                if case .count(let gpus) = process.gpus {
                    try process.check("resources.gpu", gpus, ceiling.quota.gpus, ceiling) { "\($0)" }
                }
            }
        }
    }

    private static func unreadable(_ error: any Error) -> MoorError {
        let hint = "check its indentation and quotes"
        guard let error = error as? YamlError else {
            return MoorError(.appFailed, "\(file) cannot be read", hint: hint, cause: error)
        }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            return MoorError(.appFailed, "\(file) line \(mark.line) is not YAML: \(problem)", hint: hint)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let line = context.mark.line
            return MoorError(
                .appFailed, "\(file) line \(line): \(duplicates.map { String(describing: $0) }.joined(separator: ", ")) stands there twice",
                hint: "keep one")
        default:
            return MoorError(.appFailed, "\(file) cannot be read", hint: hint, cause: error)
        }
    }
}

extension AppSpec.Process {
    fileprivate func check<N: BinaryInteger>(
        _ key: String, _ value: N?, _ most: N?, _ ceiling: Ceiling, _ text: (N) -> String
    ) throws(MoorError) {
        guard let value, let most, value > most else { return }
        throw MoorError(
            .appFailed,
            "\(AppSpec.file) line \(lines[key] ?? line): processes.\(name).\(key) is \(text(value)); the ceiling of \(ceiling.subject) is \(text(most))",
            hint: "ask for less, or ask the platform's admin, who sets this (moor quota set \(ceiling.flag))")
    }
}

/// A value of the file with the path of keys that leads to it.
struct Field {
    var key: String
    var node: Node

    var line: Int { node.mark?.line ?? 1 }

    func error(_ expectation: String) -> MoorError {
        MoorError(
            .appFailed, "\(AppSpec.file) line \(line): \(key.isEmpty ? "the file" : key) \(expectation)",
            hint: "see moor.yaml in the documentation")
    }

    /// - Parameter known: the keys that may be there; nil for any.
    func fields(_ known: [String]?) throws(MoorError) -> [(key: String, field: Field)] {
        guard let mapping = node.mapping else {
            throw error(known.map { "expects keys: \($0.joined(separator: ", "))" } ?? "expects names with a colon")
        }
        var fields: [(key: String, field: Field)] = []
        for (keyNode, value) in mapping {
            let name = keyNode.scalar?.string ?? ""
            var field = Field(key: key.isEmpty ? name : "\(key).\(name)", node: value)
            if let known, !known.contains(name) {
                field.node = keyNode
                throw field.error("is not a key that is known here; known are \(known.joined(separator: ", "))")
            }
            if name.isEmpty {
                field.node = keyNode
                throw field.error("has a key that is no name")
            }
            fields.append((name, field))
        }
        return fields
    }

    func text(_ expected: String) throws(MoorError) -> String {
        guard let scalar = node.scalar, node.null == nil else { throw error("expects \(expected)") }
        return scalar.string
    }

    func command() throws(MoorError) -> String {
        let command = try text("a command")
        if command.trimmed.isEmpty || command.contains("\0") { throw error("expects a command") }
        return command
    }

    func quantity<T>(_ expected: String, _ parse: (String) -> T?) throws(MoorError) -> T {
        let text = try text(expected)
        guard let value = parse(text) else { throw error("expects \(expected), not “\(text.prefix(60))”") }
        return value
    }
}
