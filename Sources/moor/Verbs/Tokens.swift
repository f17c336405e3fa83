import ArgumentParser

struct Tokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, create and revoke your tokens.", subcommands: [TokensList.self, TokensCreate.self, TokensRevoke.self],
        defaultSubcommand: TokensList.self)
}

struct TokensList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List your tokens.")

    @OptionGroup var client: ClientOptions

    func run() async throws {
        try await client.connect { platform in
            let data = try await platform.send(.get, ["tokens"])
            if client.json { return try Console.json(data) }
            var table = Table("NAME", "MADE", "LAST USED", "EXPIRES")
            for token in try platform.decode(Answers.Tokens.self, data).tokens {
                table.add(
                    .init(token.name, .bold), .init(token.createdAt.relative()), .init(token.lastUsedAt?.relative() ?? "never"),
                    .init(token.expiresAt?.relative() ?? "never"))
            }
            try table.rows.isEmpty ? Console.note("You have no tokens.") : table.print()
        }
    }
}

struct TokensCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a token and print it, this once.",
        discussion: "A token stands in the place of your password: for git, for MOOR_TOKEN, for “Authorization: Bearer”.")

    @Argument(help: "What the token is for.")
    var name: String

    @Option(help: ArgumentHelp("How long it works; for ever where it is left out.", valueName: "number"))
    var days: Int?

    @OptionGroup var client: ClientOptions

    func validate() throws {
        if let days, !(1...3650).contains(days) { throw ValidationError("--days takes 1 to 3650") }
    }

    private struct Body: Encodable, Sendable {
        var name: String
        var days: Int?
    }

    func run() async throws {
        try await client.connect { platform in
            let data = try await platform.send(.post, ["tokens"], body: Body(name: name, days: days))
            if client.json { return try Console.json(data) }
            let new = try platform.decode(Answers.NewToken.self, data)
            try Console.line(new.token)
            Console.note(
                "Keep it: it cannot be shown again. " + (new.expiresAt.map { "It expires \($0.relative())." } ?? "It does not expire."))
        }
    }
}

struct TokensRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Revoke a token.")

    @Argument(help: "The token's name.")
    var name: String

    @OptionGroup var client: ClientOptions

    func run() async throws {
        try await client.connect { platform in
            _ = try await platform.send(.delete, ["tokens", name])
            if !client.json { try Console.line("“\(name.printable)” no longer works.") }
        }
    }
}
