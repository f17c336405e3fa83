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
        var gpus: GPUWish?
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
    var healthPath: String?
    var healthTimeoutSeconds: Int?

    /// - Throws: `appFailed` naming file, line and key.
    init(_ text: String) throws(MoorError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Self.unreadable(error)
        }
        guard let root, root.null == nil else { return }
        for (key, value) in try Field(key: "", node: root).fields(["build", "processes", "health"]) {
            if key == "build" {
                for (_, value) in try value.fields(["buildpack"]) {
                    buildpack = .init(name: try value.text("the name of a buildpack"), place: "\(Self.file) line \(value.line)")
                }
            } else if key == "processes" {
                for process in try value.fields(nil) { processes.append(try Self.process(process.key, process.field)) }
            } else {
                for (key, value) in try value.fields(["path", "timeout"]) {
                    if key == "path" {
                        let path = try value.text("a path such as /healthz")
                        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                            throw value.error("expects a path that begins with /, such as /healthz")
                        }
                        healthPath = path
                    } else {
                        healthTimeoutSeconds = try value.quantity("a time of at most an hour, such as 60s", Quantity.seconds)
                    }
                }
            }
        }
    }

    private static func process(_ name: String, _ field: Field) throws(MoorError) -> Process {
        guard Procfile.isName(name) else {
            throw field.error("is not a process name: use at most 32 letters, digits, - and _")
        }
        var process = Process(name: name, line: field.line)
        for (key, value) in try field.fields(["command", "replicas", "resources", "autoscale"]) {
            switch key {
            case "command":
                process.command = try value.text("a command")
                if process.command!.trimmed.isEmpty || process.command!.contains("\0") { throw value.error("expects a command") }
            case "replicas":
                process.replicas = try value.quantity("a whole number from 0 to 100") {
                    Int($0).flatMap { (0...100).contains($0) ? $0 : nil }
                }
            case "resources":
                for (key, value) in try value.fields(["cpu", "memory", "gpu"]) {
                    switch key {
                    case "cpu": process.cpuMillis = try value.quantity("cores such as 500m or 2", Quantity.cpuMillis)
                    case "memory": process.memoryBytes = try value.quantity("at least 6Mi, such as 512Mi or 1Gi", Quantity.bytes)
                    default: process.gpus = try value.quantity("a number of GPUs from 0 to 16, or optional", GPUWish.init)
                    }
                }
            default:
                throw value.error("is not supported by this platform yet: set replicas instead")
            }
        }
        return process
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

/// A value of the file with the path of keys that leads to it.
private struct Field {
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

    func quantity<T>(_ expected: String, _ parse: (String) -> T?) throws(MoorError) -> T {
        let text = try text(expected)
        guard let value = parse(text) else { throw error("expects \(expected), not “\(text.prefix(60))”") }
        return value
    }
}
