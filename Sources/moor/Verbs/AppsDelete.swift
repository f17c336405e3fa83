import ArgumentParser
import Models

struct AppsDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove an app with its releases, config and repository.")

    @Argument(help: "The app's name.")
    var name: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var client: ClientOptions

    func run() async throws {
        let name = try AppName(validating: name)
        if !yes {
            let typed = try Prompt.ask(
                "This removes \(name) with its releases, config and repository, for good.\nType its name to go on: ", hint: "use --yes")
            guard typed == name.rawValue else { throw MoorError(.cancelled, "nothing was removed", hint: "the name typed was another one") }
        }
        try await client.connect(patience: PlatformClient.longPatience) { platform in
            _ = try await platform.send(.delete, ["apps", name.rawValue])
            if !client.json { try Console.line("\(name) is gone.") }
        }
    }
}
