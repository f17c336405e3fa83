import ArgumentParser
import Models

struct AppsCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an app that waits for its first push.",
        discussion: "Pushing to a name that does not exist makes the app too.")

    @Argument(help: "At most 40 lower-case letters, digits and hyphens.")
    var name: String

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let name = try AppName(validating: name)
        try await client.connect { platform in
            let data = try await platform.send(.post, ["apps"], body: ["name": name.rawValue])
            if client.json { return try Console.json(data) }
            let app = try platform.decode(Answers.App.self, data)
            try Console.line("\(app.name.printable) will answer at \(app.url.printable). To deploy it:")
            try Console.line("    git remote add moorage \(platform.origin)/git/\(name).git")
            try Console.line("    git push moorage main")
        }
    }
}
