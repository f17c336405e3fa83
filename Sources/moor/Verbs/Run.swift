import ArgumentParser
import Foundation
import Models

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a fresh container of an app.",
        usage: "moor run <app> [<options>] [--] <command> …",
        discussion: """
            Such as: moor run sales python manage.py migrate
            It has the image, config, resources and network of the live release. Without a command it is a shell.

            \(CommandLineOfOthers.words)

            At a terminal the command has one too. Elsewhere its input ends with moor's, its output and errors stay apart, and \
            SIGINT and SIGTERM are passed on; the third makes moor go.

            Where moor goes or the connection breaks, the command is stopped: SIGTERM (and SIGHUP where it has a terminal), ten \
            seconds later SIGKILL. With --detach it goes on by itself: moor ps shows it, moor logs --process run what it writes.

            \(CommandLineOfOthers.exitCodes)
            """)

    @Argument(help: ArgumentHelp("The app, where it is not the one of the git remote “moorage”.", valueName: "app"))
    var name: String?

    @Argument(parsing: .postTerminator, help: ArgumentHelp("Program and arguments.", valueName: "command"))
    var command: [String] = []

    @Option(help: ArgumentHelp("Like which process; web where it is left out.", valueName: "name"))
    var process: String?

    @Flag(help: "Start it and print its name.")
    var detach = false

    @Option(help: ArgumentHelp("Stop the one of this name instead.", valueName: "name"))
    var stop: String?

    @OptionGroup var options: CommandOptions

    func validate() throws {
        _ = try options.named(name)
        if stop != nil, detach || !command.isEmpty || process != nil { throw ValidationError("--stop takes a name and nothing else") }
        if detach, command.isEmpty { throw ValidationError("--detach needs a command") }
        if options.app.json, !detach { throw ValidationError("--json goes with --detach alone: the output is the command's") }
    }

    private struct Order: Encodable {
        var command: [String]
        var process: String?
        var environment: [String: String]
    }

    func run() async throws {
        let app = try options.named(name)
        if let stop {
            try await app.connect { platform, app in _ = try await platform.send(.delete, ["apps", app.rawValue, "commands", stop]) }
        } else if detach {
            let order = Order(
                command: CommandLineOfOthers.command(command), process: process,
                environment: try CommandLineOfOthers.environment(options.env))
            try await app.connect { platform, name in
                let data = try await platform.send(.post, ["apps", name.rawValue, "commands"], body: order)
                if app.json { return try Console.json(data) }
                try Console.line(try platform.decode(Answers.Command.self, data).name)
            }
        } else {
            try await options.attend("run", command, target: process, app: name)
        }
    }
}
