import ArgumentParser
import Models

struct RolloutUndo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Take the rollout back, or end the canary, or go back to the release before.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            let live = try await platform.follow(
                .post, ["apps", app.rawValue, "rollout", "undo"], body: nil, json: options.json)
            if !options.json { try Console.line(live.map { "\(app) runs v\($0)." } ?? "\(app) runs nothing.") }
        }
    }
}
