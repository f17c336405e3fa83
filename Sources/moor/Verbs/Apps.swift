import ArgumentParser

struct Apps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, create and delete apps.", subcommands: [AppsList.self, AppsCreate.self, AppsDelete.self],
        defaultSubcommand: AppsList.self)
}

struct AppsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the apps that you may look at.")

    @OptionGroup var client: ClientOptions

    func run() async throws {
        try await client.connect { platform in
            let data = try await platform.send(.get, ["apps"])
            if client.json { return try Console.json(data) }
            var table = Table("NAME", "RELEASE", "ACCESS", "OWNER", "URL")
            for app in try platform.decode(Answers.Apps.self, data).apps {
                table.add(
                    .init(app.name, .bold), .init(app.release.map { "v\($0)" } ?? "none"), .init(app.access), .init(app.owner),
                    .init(app.url))
            }
            try table.rows.isEmpty ? Console.note("There are no apps yet. Push one: moor apps create NAME says how.") : table.print()
        }
    }
}
