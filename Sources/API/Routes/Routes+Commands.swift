import Commands
import HTTPTypes
import Hummingbird
import Logging
import Models

extension APIController {
    var commandRoutes: [Route] {
        let dialogue = """
            A WebSocket of the subprotocol \(commandProtocol). Each message is binary and begins with a byte for its channel: 0 input, \
            1 output, 2 error output, 3 what is to be run (first, from the client: command, environment, target, terminal, hasInput) \
            and how it ended (last, from the platform: exitCode, reason, error), 4 the terminal's columns and rows, 5 a signal's name, \
            6 how many more bytes of input may come (at first \(CommandBounds.window)), 255 and 0 for the end of input
            """
        return [
            Route(
                method: .get, path: "/apps/{app}/run", name: "runCommand",
                summary: "Run a command in a fresh container like those of a process (the target); it is stopped where the client goes",
                answer: .webSocket(dialogue), handler: .app(.runCommands, switchProtocols)),
            Route(
                method: .get, path: "/apps/{app}/exec", name: "execCommand",
                summary: "Run a command in a replica (the target, such as web.1); it is stopped where the client goes",
                answer: .webSocket(dialogue), handler: .app(.runCommands, switchProtocols)),
            Route(
                method: .get, path: "/apps/{app}/commands", name: "listCommands",
                summary: "Commands in containers of their own, and the last detached ones that ended",
                answer: .json(.object([.init("commands", .array(.named("Command")), "By start")]), "The commands"),
                handler: .app(.inspect, list)),
            Route(
                method: .post, path: "/apps/{app}/commands", name: "startCommand",
                summary: "Run a command as “run” does, with nobody at its other end; its output is in the logs of the process “run”",
                body: .object([
                    .init("command", .array(.string(length: 0...32_768)), "Program and arguments"),
                    .init("process", .nullable(.string(length: 1...64)), "Like which process; web where it is left out", isRequired: false),
                    .init("environment", .map(.string()), "Beyond what the process has", isRequired: false),
                ]),
                answer: .json(.named("Command"), "The command", status: .created), failures: [.conflict, .rateLimited],
                handler: .app(.runCommands, start)),
            Route(
                method: .delete, path: "/apps/{app}/commands/{name}", name: "stopCommand", summary: "Stop a command",
                answer: .nothing("It is told to end"), failures: [.notFound], handler: .app(.runCommands, stop)),
        ]
    }

    static let oneOffShape = Shape<OneOff>(
        "Command",
        [
            .init("name", .string(), "Such as run.4711") { .string($0.name) },
            .init("process", .string(), "The process that it is like") { .string($0.process) },
            .init("release", .integer(1...Int.max), "The release's number") { .integer($0.releaseNumber) },
            .init("program", .string(), "The program, without its arguments, which may be secret") { .string($0.program) },
            .init("user", .string(), "Who asked for it; empty for the platform") { .string($0.user) },
            .init("detached", .boolean, "Whether nobody is at its other end") { .bool($0.isDetached) },
            .init("state", .word(["running", "ended"]), "How it is") { .string($0.end == nil ? "running" : "ended") },
            .init("exitCode", .nullable(.integer()), "How it ended") { JSON($0.end?.exitCode) },
            .init("reason", .nullable(.string()), "Why it ended, where that was not well") { JSON($0.end?.reason) },
            .init("startedAt", .string(format: "date-time"), "Its start") { JSON(time: $0.startedAt) },
        ])

    @Sendable private func switchProtocols(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        throw Problem(
            MoorError(.invalid, "this takes a WebSocket", hint: "moor run and moor exec speak it; see the document for how"),
            status: .upgradeRequired, headers: [.upgrade: "websocket"])
    }

    @Sendable private func list(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        try .json(["commands": Self.oneOffShape.json(await commands.oneOffs(app.id))])
    }

    @Sendable private func start(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let order = try Self.order(
            call.body["command"].array.compactMap(\.string), call.body["environment"].members.compactMapValues(\.string), terminal: nil)
        let oneOff = try await commands.startOneOff(app.id, process: call.body["process"].string, order: order, by: principal)
        logger.info("command started", metadata: Self.metadata(app, principal, order, "start"))
        return try .json(Self.oneOffShape.json(oneOff), status: .created)
    }

    @Sendable private func stop(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        try await commands.stopOneOff(app.id, named: call.parameters["name"] ?? "")
        return .nothing
    }

    static func order(_ arguments: [String], _ environment: [String: String], terminal: TerminalSize?) throws(MoorError) -> CommandOrder {
        guard let program = arguments.first, !program.isEmpty, arguments.count <= 1000, !arguments.contains(where: { $0.utf8.contains(0) })
        else { throw MoorError(.invalid, "there is no command", hint: "name a program, and at most 1000 words in all") }
        if let terminal, !(1...10_000).contains(terminal.columns) || !(1...10_000).contains(terminal.rows) {
            throw MoorError(.invalid, "no terminal has that size", hint: "send its columns and rows")
        }
        return CommandOrder(arguments, environment: environment, terminal: terminal)
    }

    /// Of a command only its program: arguments may be secret.
    static func metadata(_ app: AppOfCaller, _ principal: Principal, _ order: CommandOrder, _ kind: String) -> Logger.Metadata {
        ["app": "\(app.name)", "by": "\(principal.username)", "program": "\(order.programName)", "kind": "\(kind)"]
    }
}
