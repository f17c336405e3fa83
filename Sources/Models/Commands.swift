/// Rows and columns of a terminal, in characters.
package struct TerminalSize: Codable, Sendable, Hashable {
    package var columns: Int
    package var rows: Int

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}

/// What a command can be sent, by its name without "SIG" (POSIX signal.h).
package enum CommandSignal: String, Codable, Sendable, CaseIterable {
    case hangUp = "HUP"
    case interrupt = "INT"
    case quit = "QUIT"
    case kill = "KILL"
    case terminate = "TERM"
}

/// A command that somebody wants to run in an app's surroundings.
package struct CommandOrder: Sendable, Hashable {
    /// Program and arguments, each as it is; empty for what the process itself runs.
    package var arguments: [String]
    /// Beyond what the process has. May hold secrets: never logged.
    package var environment: [String: String]
    /// With one, the command has a terminal: one stream of output, and Ctrl-C as a byte of its input.
    package var terminal: TerminalSize?
    /// After that much time it is ended.
    package var limit: Duration?

    package init(
        _ arguments: [String] = [], environment: [String: String] = [:], terminal: TerminalSize? = nil, limit: Duration? = nil
    ) {
        self.arguments = arguments
        self.environment = environment
        self.terminal = terminal
        self.limit = limit
    }

    /// The program without its folder, which is all of a command that may stand in a log.
    package var programName: String { arguments.first?.split(separator: "/").last.map { String($0.prefix(64)) } ?? "" }
}

/// What somebody at the other end asks for beside the input, which it overtakes.
package enum CommandControl: Sendable, Hashable {
    case resize(TerminalSize)
    case signal(CommandSignal)
}

package enum CommandStream: Sendable, Hashable {
    case output, error
}

/// The other end of a running command: whoever typed it, or a log. Everything waits for the slower side, so nothing piles up.
package struct CommandSession: Sendable {
    /// The next bytes of its standard input, nil at their end; returns early where its task is cancelled. Without it, the
    /// command has no input at all.
    package var input: (@Sendable () async -> [UInt8]?)?
    package var control: AsyncStream<CommandControl>
    /// Takes what the command wrote; throws where nobody is there any more, which ends the command.
    package var output: @Sendable (CommandStream, ArraySlice<UInt8>) async throws -> Void

    package init(
        input: (@Sendable () async -> [UInt8]?)? = nil, control: AsyncStream<CommandControl> = AsyncStream { $0.finish() },
        output: @escaping @Sendable (CommandStream, ArraySlice<UInt8>) async throws -> Void
    ) {
        self.input = input
        self.control = control
        self.output = output
    }
}

/// How a command ended.
package struct CommandEnd: Sendable, Hashable {
    /// 128 and the signal's number where one ended it; 126 or 127 where it could not be started.
    package var exitCode: Int
    /// For people; nil where it went well.
    package var reason: String?

    package init(exitCode: Int, reason: String? = nil) {
        self.exitCode = exitCode
        self.reason = reason
    }
}

/// A command in a container of its own, as it is listed.
package struct OneOff: Codable, Sendable, Hashable {
    /// Such as "run.4711"; no other of the app has it.
    package var name: String
    package var appID: AppID
    package var releaseNumber: Int
    /// The process whose image, environment and resources it has.
    package var process: String
    /// The program alone: its arguments may be secret.
    package var program: String
    /// The user name of whoever asked for it.
    package var user: String
    /// Goes on without anybody at its other end.
    package var isDetached: Bool
    /// Seconds since 1970.
    package var startedAt: Double
    /// nil while it runs.
    package var end: End?

    package struct End: Codable, Sendable, Hashable {
        package var exitCode: Int
        package var reason: String?

        package init(exitCode: Int, reason: String?) {
            self.exitCode = exitCode
            self.reason = reason
        }
    }

    package init(
        name: String, appID: AppID, releaseNumber: Int, process: String, program: String, user: String, isDetached: Bool, startedAt: Double
    ) {
        self.name = name
        self.appID = appID
        self.releaseNumber = releaseNumber
        self.process = process
        self.program = program
        self.user = user
        self.isDetached = isDetached
        self.startedAt = startedAt
    }
}

/// What people run in an app's surroundings, offered by Platform to the API. Permission has been checked by the caller.
package protocol CommandOperations: Sendable {
    /// Runs a command in a fresh container made like those of a process of the live release.
    /// - Parameter process: nil for `web`, or the first where there is none.
    func run(_ appID: AppID, process: String?, order: CommandOrder, by principal: Principal, session: CommandSession)
        async throws(MoorError) -> CommandEnd
    /// Runs a command in a replica that is there.
    /// - Parameter replica: such as "web.1"; nil for the first that is well.
    func exec(_ appID: AppID, replica: String?, order: CommandOrder, by principal: Principal, session: CommandSession)
        async throws(MoorError) -> CommandEnd
    /// As `run`, but with nobody at its other end; its output is in the app's logs.
    func startOneOff(_ appID: AppID, process: String?, order: CommandOrder, by principal: Principal) async throws(MoorError) -> OneOff
    func oneOffs(_ appID: AppID) async -> [OneOff]
    /// - Throws: `notFound` where none of that name runs.
    func stopOneOff(_ appID: AppID, named name: String) async throws(MoorError)
}
