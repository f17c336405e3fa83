import ArgumentParser
import Models

struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, set and unset an app's config.", subcommands: [ConfigList.self, ConfigSet.self, ConfigUnset.self],
        defaultSubcommand: ConfigList.self)

    /// The body of a change.
    struct Change: Encodable, Sendable {
        var set: [String: String] = [:]
        var unset: [String] = []

        func roll(out options: AppOptions) async throws {
            try await options.connect { platform, app in
                let new = try await platform.follow(.patch, ["apps", app.rawValue, "config"], body: self, json: options.json)
                if options.json { return }
                try Console.line(new.map { "\(app) runs v\($0)." } ?? "Kept for \(app)'s first release.")
            }
        }
    }
}

struct ConfigList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List an app's config with its values.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            let data = try await platform.send(.get, ["apps", app.rawValue, "config"])
            if options.json { return try Console.json(data) }
            var table = Table("NAME", "VALUE")
            for (name, value) in try platform.decode(Answers.Config.self, data).config.sorted(by: { $0.key < $1.key }) {
                table.add(.init(name, .bold), .init(value))
            }
            try table.rows.isEmpty ? Console.note("\(app) has no config.") : table.print()
        }
    }
}
