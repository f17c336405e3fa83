import ArgumentParser
import Foundation
import Models

struct Rollout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a rollout, hold it, take it back, or try a release on some viewers.",
        subcommands: [
            RolloutShow.self, RolloutPause.self, RolloutResume.self, RolloutUndo.self, RolloutCanary.self, RolloutPromote.self,
        ],
        defaultSubcommand: RolloutShow.self)

    static func show(_ data: Data, of platform: PlatformClient, app: AppName, json: Bool) throws {
        if json { return try Console.json(data) }
        let answer = try platform.decode(Answers.Rollout.self, data)
        let (live, new) = (answer.live.map { "v\($0)" } ?? "no release", answer.release.map { "v\($0)" } ?? "")
        let since = answer.since.map { " since \($0.relative())" } ?? ""
        switch answer.phase {
        case "idle": return try Console.line("\(app) runs \(live); nothing is under way.")
        case "canary": try Console.line("\(app) runs \(live), and \(new) as a canary\(since).")
        case "reverting": try Console.line("\(app) takes \(new) back; \(live) comes back whole.")
        default: try Console.line(new.isEmpty ? "\(app) runs \(live)." : "\(app) rolls out \(new) beside \(live)\(since): \(answer.phase).")
        }
        if let waitingFor = answer.waitingFor { try Console.line("Waiting: \(waitingFor).") }
        if let share = answer.newShare { try Console.line("Viewers: \(100 - share) % \(live), \(share) % \(new).") }
        if !answer.processes.isEmpty {
            var table = Table("PROCESS", "OLD READY", "NEW READY")
            for process in answer.processes {
                table.add(
                    .init(process.name, .bold), "\(process.oldReady)/\(process.oldWanted)", "\(process.newReady)/\(process.newWanted)")
            }
            try table.print()
        }
        guard !answer.traffic.isEmpty else { return }
        var table = Table("RELEASE", "REQUESTS", "ERRORS", "P50", "P95")
        for traffic in answer.traffic {
            let rate = traffic.requests == 0 ? 0 : Double(traffic.errors) * 100 / Double(traffic.requests)
            let tenths = Int((rate * 10).rounded())
            table.add(
                .init("v\(traffic.release)", .bold), "\(traffic.requests)", "\(tenths / 10).\(tenths % 10) %",
                .init(traffic.p50Milliseconds.map { "\($0) ms" } ?? "-"), .init(traffic.p95Milliseconds.map { "\($0) ms" } ?? "-"))
        }
        try table.print()
    }
}

struct RolloutShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show what rolls out, how far it is and why it waits.")

    @OptionGroup var options: AppOptions

    func run() async throws {
        try await options.connect { platform, app in
            try Rollout.show(try await platform.send(.get, ["apps", app.rawValue, "rollout"]), of: platform, app: app, json: options.json)
        }
    }
}
