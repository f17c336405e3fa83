import ArgumentParser
import Foundation
import Models

struct Ps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show an app's replicas.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            let data = try await platform.send(.get, ["apps", app.rawValue, "replicas"])
            try Self.show(data, of: platform, json: options.json)
        }
    }

    static func show(_ data: Data, of platform: PlatformClient, json: Bool) throws {
        if json { return try Console.json(data) }
        var table = Table("REPLICA", "RELEASE", "STATE", "RESTARTS", "STARTED", "")
        for replica in try platform.decode(Answers.Replicas.self, data).replicas {
            table.add(
                .init(replica.name, .bold), "v\(replica.release)", .init(replica.state, Style.forState(replica.state)),
                "\(replica.restarts)",
                .init(replica.startedAt?.relative() ?? ""), .init(replica.reason ?? ""))
        }
        try table.rows.isEmpty ? Console.note("Nothing runs.") : table.print()
    }
}
