import ArgumentParser
import Models

struct RolloutCanary: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "canary", abstract: "Give a release some of the viewers, beside the live one.",
        discussion: """
            Each viewer stays with one of the two. `git push -o canary=10%` makes a canary of a push; then, or with another share for \
            the canary that there is, --release is left out.
            """)

    @Argument(help: ArgumentHelp("Of a hundred viewers, such as 10%.", valueName: "percent"))
    var percent: String

    @Option(help: ArgumentHelp("An earlier release, such as v3.", valueName: "release"))
    var release: String?

    @OptionGroup var options: AppOptions

    struct Body: Encodable, Sendable {
        var percent: Int
        var release: Int?
    }

    func validate() throws { _ = try body() }

    func run() async throws {
        let body = try body()
        try await options.connect { platform, app in
            let number = try await platform.follow(.post, ["apps", app.rawValue, "rollout", "canary"], body: body, json: options.json)
            guard !options.json, let number else { return }
            try Console.line("\(body.percent) % of \(app)'s viewers see v\(number): moor rollout status, promote or undo.")
        }
    }

    private func body() throws -> Body {
        guard let number = Int(percent.hasSuffix("%") ? percent.dropLast() : percent[...]), (1...99).contains(number) else {
            throw ValidationError("“\(percent)” is no share of the viewers, such as 10%")
        }
        return Body(percent: number, release: try Rollback.number(release))
    }
}

struct RolloutPromote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "promote", abstract: "Make the canary the live release.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            let number = try await platform.follow(
                .post, ["apps", app.rawValue, "rollout", "promote"], body: nil, json: options.json)
            if !options.json, let number { try Console.line("\(app) runs v\(number).") }
        }
    }
}
