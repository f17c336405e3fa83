import ArgumentParser
import Foundation
import Models
import Pushes

/// The one binary: `serve` is the platform, every other verb talks to one.
///
/// Exit codes: 0 all went well, 1 it failed, 2 the command line is not right, 130 ended by Ctrl-C; `run` and `exec` have
/// their command's.
@main
struct Moor: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "moor",
        abstract: "A self-hosted home for data apps.",
        discussion: """
            Inside a git checkout with a remote named “moorage”, the app and the platform are taken from it. \
            MOOR_URL and MOOR_TOKEN take the place of a login.

            Exit codes: 0 all went well, 1 it failed, 2 the command line is not right, 130 ended by Ctrl-C; “run” and “exec” end \
            as their command does.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(name: "Platform:", subcommands: [Serve.self]),
            CommandGroup(name: "You:", subcommands: [Login.self, Logout.self, Whoami.self, Tokens.self]),
            CommandGroup(
                name: "Apps:",
                subcommands: [
                    Apps.self, Ps.self, Scale.self, AppResources.self, Logs.self, Run.self, Exec.self, Releases.self, Rollback.self,
                    Rollout.self, Config.self, Access.self,
                    Images.self,
                    Sbom.self,
                ]),
            CommandGroup(name: "Admins:", subcommands: [Users.self, Quotas.self]),
        ])

    static func main() async {
        // git runs the hook by a link of this name to the binary.
        if CommandLine.arguments.first?.split(separator: "/").last == "pre-receive" { Foundation.exit(await PreReceiveHook.main()) }
        do {
            var command = try parseAsRoot(CommandLineOfOthers.separated(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
        } catch {
            Foundation.exit(report(error))
        }
    }

    /// Tells the person what went wrong.
    /// - Returns: the exit code.
    private static func report(_ error: any Error) -> Int32 {
        switch error {
        case let error as MoorError:
            Console.complain(error)
            return 1
        case is Interrupted:
            return Interrupted.exitCode
        case let code as ExitCode:
            return code.rawValue
        default:
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if code == .success {
                print(message)
                return 0
            }
            Console.note(message)
            return code == .validationFailure ? 2 : 1
        }
    }
}
