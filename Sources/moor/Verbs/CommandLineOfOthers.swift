import ArgumentParser
import Commands
import Foundation
import Models

/// What `moor run` and `moor exec` have in common: after the app's name everything is somebody else's command line.
enum CommandLineOfOthers {
    /// Options of the two verbs that take a value.
    private static let valued: Set = ["--app", "-a", "--url", "--process", "--env", "-e", "--replica", "--stop"]

    /// Puts the `--` before the command that the parser needs to leave it alone, where the person did not.
    static func separated(_ arguments: [String]) -> [String] {
        guard let verb = arguments.first, ["run", "exec"].contains(verb) else { return arguments }
        var hasApp = false
        var index = 1
        while index < arguments.count {
            let word = arguments[index]
            if word == "--" { return arguments }
            if word.hasPrefix("-"), word != "-" {
                if word == "-a" || word == "--app" || word.hasPrefix("--app=") { hasApp = true }
                index += valued.contains(word) ? 2 : 1
            } else if !hasApp {
                hasApp = true
                index += 1
            } else {
                return Array(arguments[..<index]) + ["--"] + arguments[index...]
            }
        }
        return arguments
    }

    /// One argument with shell syntax is a line for the shell; more than one, or a plain word, is a program and its arguments.
    /// Nothing is a shell, the best one there is.
    static func command(_ words: [String]) -> [String] {
        if words.isEmpty { return ["/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh"] }
        let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./:@%+,="))
        guard words.count == 1, words[0].unicodeScalars.contains(where: { !plain.contains($0) }) else { return words }
        return ["/bin/sh", "-c", words[0]]
    }

    static func environment(_ pairs: [String]) throws -> [String: String] {
        var found: [String: String] = [:]
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            // The value is not repeated: it may be secret.
            guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("--env takes NAME=value") }
            found[parts[0]] = parts[1]
        }
        return found
    }

    static let exitCodes = """
        The command's exit code is moor's: 128 and the signal's number where one ended it, 126 or 127 where it could not be \
        started, 125 where moor itself failed.
        """

    static let words = """
        The words after the app's name are the command, each as it is: no shell looks at them. A single word with spaces or \
        shell syntax in it, such as 'a && b', is given to the app's shell.
        """
}

/// What both take besides.
struct CommandOptions: ParsableArguments, Sendable {
    @Flag(name: .customLong("no-tty"), help: "Give it no terminal, though this is one.")
    var withoutTerminal = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Set a variable for it.", valueName: "name=value"))
    var env: [String] = []

    @OptionGroup var app: AppOptions

    func validate() throws { _ = try CommandLineOfOthers.environment(env) }

    /// - Parameter name: of the app, as the first word.
    func named(_ name: String?) throws -> AppOptions {
        if name != nil, app.app != nil { throw ValidationError("name the app once") }
        var options = app
        options.app = name ?? options.app
        return options
    }

    /// Runs it with this process in its place.
    func attend(_ kind: String, _ words: [String], target: String?, app name: String?) async throws {
        let hasTerminal = !withoutTerminal && RawTerminal.isThere
        var environment = try CommandLineOfOthers.environment(env)
        if hasTerminal, environment["TERM"] == nil { environment["TERM"] = ProcessInfo.processInfo.environment["TERM"] }
        let start = CommandStart(
            command: CommandLineOfOthers.command(words), environment: environment, target: target,
            terminal: hasTerminal ? RawTerminal.size ?? TerminalSize(columns: 80, rows: 24) : nil, hasInput: true)
        let code: Int32
        do {
            code = try await named(name).connect { platform, app in
                try await Dialogue(platform: platform, app: app, kind: kind, start: start).run()
            }
        } catch let error as MoorError {
            Console.complain(error)
            throw ExitCode(Dialogue.failed)
        }
        if code != 0 { throw ExitCode(code) }
    }
}
