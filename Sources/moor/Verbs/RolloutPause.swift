import ArgumentParser
import Models

struct RolloutPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Hold the rollout, or the next one.",
        discussion: "It goes no further than to its next wave or the switch of the traffic. A push waits an hour, then it is taken back.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            let data = try await platform.send(.post, ["apps", app.rawValue, "rollout", "pause"])
            try Rollout.show(data, of: platform, app: app, json: options.json)
        }
    }
}

struct RolloutResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Let a paused rollout go on.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            let data = try await platform.send(.post, ["apps", app.rawValue, "rollout", "resume"])
            try Rollout.show(data, of: platform, app: app, json: options.json)
        }
    }
}
