import ArgumentParser

struct Users: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, add and remove users.", subcommands: [UsersList.self, UsersAdd.self, UsersRemove.self],
        defaultSubcommand: UsersList.self)
}

struct UsersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List everybody on the platform.")

    @OptionGroup var client: ClientOptions

    func run() async throws {
        try await client.connect { platform in
            let data = try await platform.send(.get, ["users"])
            if client.json { return try Console.json(data) }
            var table = Table("USER", "ROLE", "NAME", "EMAIL", "GROUPS")
            for user in try platform.decode(Answers.Users.self, data).users {
                table.add(
                    .init(user.username, .bold), .init(user.role), .init(user.name), .init(user.email),
                    .init(user.groups.joined(separator: ", ")))
            }
            try table.print()
        }
    }
}

struct UsersRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a user with their sessions and tokens.")

    @Argument(help: "The user's name.")
    var username: String

    @OptionGroup var client: ClientOptions

    func run() async throws {
        try await client.connect { platform in
            _ = try await platform.send(.delete, ["users", username])
            if !client.json { try Console.line("\(username.printable) is removed.") }
        }
    }
}
