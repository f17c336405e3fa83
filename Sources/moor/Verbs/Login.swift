import ArgumentParser
import Foundation
import Models

struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign in to a platform.",
        discussion: "The token is kept in ${XDG_CONFIG_HOME:-~/.config}/moorage/credentials.json, for you alone to read.")

    @Argument(help: "The platform, such as https://moorage.example.com.")
    var url: String

    @Option(name: .shortAndLong, help: "Your user name; asked for where it is left out.")
    var user: String?

    @Flag(help: "Read the password from standard input.")
    var passwordStdin = false

    @Flag(help: "Read a token from standard input instead of using a password.")
    var token = false

    func validate() throws {
        if token, passwordStdin || user != nil { throw ValidationError("--token goes without --user and --password-stdin") }
    }

    func run() async throws {
        let origin = try Origin(url)
        let file = CredentialsFile(environment: ProcessInfo.processInfo.environment)
        let old = try file.entry(for: origin)
        let entry = try await token ? withToken(origin) : withPassword(origin)
        try file.save(entry)
        if let name = old?.tokenName, let token = old?.token, token != entry.token {
            // Best effort: the new login works whether or not the old token could be revoked.
            _ = try? await PlatformClient.with(origin, token: token) { try await $0.send(.delete, ["tokens", name]) }
        }
        try Console.line("Signed in to \(origin) as \(entry.username.printable).")
    }

    private func withPassword(_ origin: Origin) async throws -> CredentialsFile.Entry {
        let name = try user ?? Prompt.ask("User name: ", hint: "use --user and --password-stdin")
        let password =
            try passwordStdin
            ? Prompt.secretFromStandardInput("the password") : Prompt.askSecret("Password: ", hint: "use --password-stdin")
        let body = ["username": name, "password": password, "client": Self.clientName]
        let new = try await PlatformClient.with(origin, token: nil) { platform in
            try platform.decode(Answers.NewToken.self, await platform.send(.post, ["login"], body: body))
        }
        return .init(url: origin.description, username: new.username, token: new.token, tokenName: new.name)
    }

    private func withToken(_ origin: Origin) async throws -> CredentialsFile.Entry {
        let token = try Prompt.secretFromStandardInput("the token").trimmingCharacters(in: .whitespacesAndNewlines)
        let me = try await PlatformClient.with(origin, token: token) { try await $0.get(Answers.Me.self, ["me"]) }
        return .init(url: origin.description, username: me.username, token: token, tokenName: nil)
    }

    /// What the platform will call the token.
    private static var clientName: String {
        "moor on " + ProcessInfo.processInfo.hostName.printable.prefix(50)
    }
}
