import ArgumentParser
import Foundation
import Models

struct Ps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show an app's replicas, and the commands that moor run started.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            let data = try await platform.send(.get, ["apps", app.rawValue, "replicas"])
            let commands = try await platform.send(.get, ["apps", app.rawValue, "commands"])
            // One object of the two.
            if options.json { return try Console.json(data.dropLast() + Data(",".utf8) + commands.dropFirst()) }
            try Self.show(data, commands: try platform.decode(Answers.Commands.self, commands).commands, of: platform, json: false)
        }
    }

    static func show(_ data: Data, commands: [Answers.Command] = [], of platform: PlatformClient, json: Bool) throws {
        if json { return try Console.json(data) }
        var table = Table("REPLICA", "RELEASE", "STATE", "RESTARTS", "STARTED", "")
        for replica in try platform.decode(Answers.Replicas.self, data).replicas {
            table.add(
                .init(replica.name, .bold), "v\(replica.release)", .init(replica.state, Style.forState(replica.state)),
                "\(replica.restarts)",
                .init(replica.startedAt?.relative() ?? ""), .init(replica.reason ?? ""))
        }
        for command in commands {
            let what = [command.program, command.user.isEmpty ? "" : "by \(command.user)", command.reason ?? ""].filter { !$0.isEmpty }
            table.add(
                .init(command.name, .bold), "v\(command.release)", .init(command.state, Style.forState(command.state)), "",
                .init(command.startedAt?.relative() ?? ""), .init(what.joined(separator: ", ")))
        }
        try table.rows.isEmpty ? Console.note("Nothing runs.") : table.print()
    }
}
