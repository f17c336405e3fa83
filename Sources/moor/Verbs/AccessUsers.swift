import ArgumentParser
import Models

struct AccessAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Name a user on an app.")

    @Argument(help: "The user's name.")
    var user: String

    @Option(help: "viewer looks at it, collaborator works on it.")
    var role = "viewer"

    @OptionGroup var options: AppOptions

    func validate() throws {
        guard ["viewer", "collaborator"].contains(role) else { throw ValidationError("--role takes viewer or collaborator") }
    }

    func run() async throws {
        try await options.connect { platform, app in
            let data = try await platform.send(.put, ["apps", app.rawValue, "access", "users", user], body: ["role": role])
            try Access.show(data, of: platform, app, json: options.json)
        }
    }
}

struct AccessRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take a user off an app.")

    @Argument(help: "The user's name.")
    var user: String

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            _ = try await platform.send(.delete, ["apps", app.rawValue, "access", "users", user])
            if !options.json { try Console.line("\(user.printable) is no longer named on \(app).") }
        }
    }
}
