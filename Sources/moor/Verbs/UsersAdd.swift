import ArgumentParser
import Models

struct UsersAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a user.",
        discussion: "The password is asked for, or read from standard input; it is never an argument, which others could see.")

    @Argument(help: "The name to sign in with.")
    var username: String

    @Option(help: "admin, developer or viewer.")
    var role = PlatformRole.developer.rawValue

    @Option(help: "The full name.")
    var name = ""

    @Option(help: "The address that apps are told.")
    var email = ""

    @Option(name: .customLong("group"), help: ArgumentHelp("A group that apps are told of; may be given several times.", valueName: "name"))
    var groups: [String] = []

    @Flag(help: "Read the password from standard input.")
    var passwordStdin = false

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard PlatformRole(rawValue: role) != nil else { throw ValidationError("--role takes admin, developer or viewer") }
    }

    private struct Body: Encodable, Sendable {
        var username: String
        var password: String
        var name: String
        var email: String
        var role: String
        var groups: [String]
    }

    func run() async throws {
        let body = Body(username: username, password: try password(), name: name, email: email, role: role, groups: groups)
        try await client.connect { platform in
            let data = try await platform.send(.post, ["users"], body: body)
            if client.json { return try Console.json(data) }
            try Console.line("\(username.printable) can sign in at \(platform.origin) as \(role).")
        }
    }

    private func password() throws -> String {
        if passwordStdin { return try Prompt.secretFromStandardInput("the password") }
        let hint = "use --password-stdin"
        let first = try Prompt.askSecret("Password for \(username.printable): ", hint: hint)
        guard try Prompt.askSecret("Once more: ", hint: hint) == first else { throw MoorError(.invalid, "the two passwords differ") }
        return first
    }
}
