import ArgumentParser

struct Whoami: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show as whom you are signed in.")

    @OptionGroup var client: ClientOptions

    func run() async throws {
        try await client.connect { platform in
            let data = try await platform.send(.get, ["me"])
            if client.json { return try Console.json(data) }
            let me = try platform.decode(Answers.Me.self, data)
            try Console.line("\(me.username.printable) (\(me.role)) at \(platform.origin)")
        }
    }
}
