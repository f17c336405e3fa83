import ArgumentParser
import Foundation
import Models

struct Quotas: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota", abstract: "Show and set the ceilings of replicas, apps, users and the platform.",
        subcommands: [QuotaList.self, QuotaSet.self], defaultSubcommand: QuotaList.self)

    static func show(_ data: Data, of platform: PlatformClient, json: Bool) throws {
        if json { return try Console.json(data) }
        var table = Table("FOR", "CPU", "MEMORY", "GPU", "REPLICAS", "APPS")
        for quota in try platform.decode(Answers.Quotas.self, data).quotas {
            func cell<N: BinaryInteger>(_ most: N?, _ used: N?, _ text: (N) -> String) -> Table.Cell {
                guard let most else { return "" }
                return .init(used.map { "\(text($0)) of \(text(most))" } ?? text(most), (used ?? 0) > most ? .red : nil)
            }
            let every = quota.scope == "platform" ? "the platform" : "every \(quota.scope)"
            table.add(
                .init(quota.name.map { "\(quota.scope) \($0)" } ?? every, .bold),
                cell(quota.cpuMillis, quota.usedCPUMillis) { Quantity.text(millis: $0) },
                cell(quota.memoryBytes, quota.usedMemoryBytes) { Quantity.text(bytes: $0) },
                cell(quota.gpus, quota.usedGPUs) { "\($0)" }, cell(quota.replicas, quota.usedReplicas) { "\($0)" },
                cell(quota.apps, quota.usedApps) { "\($0)" })
        }
        try table.rows.isEmpty ? Console.note("Nobody has a ceiling.") : table.print()
    }
}

struct QuotaList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the ceilings, and what is used of them.")

    @OptionGroup var client: ClientOptions

    func run() async throws {
        try await client.connect { platform in
            try Quotas.show(try await platform.send(.get, ["quotas"]), of: platform, json: client.json)
        }
    }
}

struct QuotaSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set ceilings; none takes one away.",
        discussion: "Such as: moor quota set --user ada --memory 16Gi --apps 20")

    @Option(help: ArgumentHelp("All replicas of this app.", valueName: "name"))
    var app: String?

    @Option(help: ArgumentHelp("All apps that this user owns.", valueName: "name"))
    var user: String?

    @Flag(help: "Each app that has no ceiling of its own.")
    var everyApp = false

    @Flag(help: "Each user who has no ceiling of their own.")
    var everyUser = false

    @Flag(help: "Each single replica.")
    var replica = false

    @Flag(help: "Everything together.")
    var platform = false

    @Option(help: ArgumentHelp("Cores, such as 500m or 4, or none.", valueName: "cores"))
    var cpu: String?

    @Option(help: ArgumentHelp("Memory, such as 8Gi, or none.", valueName: "bytes"))
    var memory: String?

    @Option(name: .customLong("gpu"), help: ArgumentHelp("GPUs, or none.", valueName: "number"))
    var gpus: String?

    @Option(help: ArgumentHelp("Replicas, or none.", valueName: "number"))
    var replicas: String?

    @Option(help: ArgumentHelp("How many apps, or none.", valueName: "number"))
    var apps: String?

    @OptionGroup var client: ClientOptions

    /// A member of the body: null takes a ceiling away, and what is left out stays.
    private enum Member: Encodable, Sendable {
        case text(String)
        case number(Int64)
        case none

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .none: try container.encodeNil()
            }
        }
    }

    func validate() throws { _ = try body() }

    private func body() throws -> [String: Member] {
        let scopes: [(scope: String, name: String?, isMeant: Bool)] = [
            ("app", app, app != nil), ("user", user, user != nil), ("app", nil, everyApp), ("user", nil, everyUser),
            ("replica", nil, replica), ("platform", nil, platform),
        ].filter(\.2)
        guard scopes.count == 1 else {
            throw ValidationError("say whose: one of --app, --user, --every-app, --every-user, --replica, --platform")
        }
        var body: [String: Member] = ["scope": .text(scopes[0].scope)]
        if let name = scopes[0].name { body["name"] = .text(name) }
        func add(_ key: String, _ text: String?, _ parse: (String) throws -> Int64) throws {
            guard let text else { return }
            body[key] = text == "none" ? Member.none : .number(try parse(text))
        }
        func count(_ text: String) throws -> Int64 {
            guard let count = Int64(text), count >= 0 else { throw ValidationError("“\(text)” is not a number, nor none") }
            return count
        }
        try add("cpuMillis", cpu) { Int64(try Amount.cores($0)) }
        try add("memoryBytes", memory) { try Amount.bytes($0) }
        try add("gpus", gpus, count)
        try add("replicas", replicas, count)
        try add("apps", apps, count)
        guard body.contains(where: { $0.key != "scope" && $0.key != "name" }) else {
            throw ValidationError("name what to limit, such as --memory 8Gi")
        }
        return body
    }

    func run() async throws {
        let body = try body()
        try await client.connect { platform in
            try Quotas.show(try await platform.send(.patch, ["quotas"], body: body), of: platform, json: client.json)
        }
    }
}
