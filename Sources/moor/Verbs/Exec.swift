import ArgumentParser

struct Exec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a running replica of an app.",
        usage: "moor exec <app> [--replica <name>] [<options>] [--] <command> …",
        discussion: """
            Such as: moor exec sales --replica web.1 -- ls -l
            Without a command it is a shell: bash where there is one, else sh.

            \(CommandLineOfOthers.words)

            Where moor goes or the connection breaks, the command is stopped: SIGTERM, or SIGHUP where it has a terminal, ten \
            seconds later SIGKILL.

            \(CommandLineOfOthers.exitCodes)
            """)

    @Argument(help: ArgumentHelp("The app, where it is not the one of the git remote “moorage”.", valueName: "app"))
    var name: String?

    @Argument(parsing: .postTerminator, help: ArgumentHelp("Program and arguments.", valueName: "command"))
    var command: [String] = []

    @Option(help: ArgumentHelp("Which replica, such as web.1; the first that is well where it is left out.", valueName: "name"))
    var replica: String?

    @OptionGroup var options: CommandOptions

    func validate() throws {
        _ = try options.named(name)
        if options.app.json { throw ValidationError("there is no --json here: the output is the command's") }
    }

    func run() async throws { try await options.attend("exec", command, target: replica, app: name) }
}
