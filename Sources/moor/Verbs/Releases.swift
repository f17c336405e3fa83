import ArgumentParser
import Models

struct Releases: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List an app's releases, the newest first.")

    @Option(help: ArgumentHelp("At most so many.", valueName: "number"))
    var limit = 20

    @OptionGroup var options: AppOptions

    func validate() throws {
        guard (1...100).contains(limit) else { throw ValidationError("--limit takes 1 to 100") }
    }

    func run() async throws {
        try await options.connect { platform, app in
            let data = try await platform.send(.get, ["apps", app.rawValue, "releases"], query: ["limit": String(limit)])
            if options.json { return try Console.json(data) }
            var table = Table("RELEASE", "STATE", "WHAT", "COMMIT", "BY", "WHEN")
            for release in try platform.decode(Answers.Releases.self, data).releases {
                table.add(
                    .init("v\(release.number)", .bold), .init(release.state, Style.forState(release.state)), .init(release.description),
                    .init(String(release.commit?.prefix(7) ?? "")), .init(release.user ?? ""), .init(release.createdAt.relative()))
            }
            try table.rows.isEmpty ? Console.note("\(app) has not been released yet.") : table.print()
        }
    }
}
