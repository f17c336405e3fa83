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

        /// For builds alone: there is nothing to roll out.
        func keepForBuilds(_ options: AppOptions) async throws {
            try await options.connect { platform, app in
                let data = try await platform.send(.patch, ["apps", app.rawValue, "config", "build"], body: self)
                if options.json { return try Console.json(data) }
                try Console.line("Kept for \(app)'s next build. Layers that are there already are not made anew for it.")
            }
        }

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
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List an app's config: values for the app, names alone of what is for builds.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            let data = try await platform.send(.get, ["apps", app.rawValue, "config"])
            if options.json { return try Console.json(data) }
            let answer = try platform.decode(Answers.Config.self, data)
            var table = Table("NAME", "FOR", "VALUE")
            for (name, value) in answer.config.sorted(by: { $0.key < $1.key }) {
                table.add(.init(name, .bold), "app", .init(value))
            }
            for name in answer.build ?? [] { table.add(.init(name, .bold), "builds", .init("(told to builds alone)", .dim)) }
            try table.rows.isEmpty ? Console.note("\(app) has no config.") : table.print()
        }
    }
}
