import ArgumentParser
import Models

struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what an app's replicas write.")

    @Flag(name: .shortAndLong, help: "Go on with what comes, until Ctrl-C.")
    var follow = false

    @Option(help: ArgumentHelp("How many earlier lines of each replica.", valueName: "lines"))
    var tail = 100

    @Option(help: ArgumentHelp("Only this process, such as web.", valueName: "name"))
    var process: String?

    @OptionGroup var options: AppOptions

    func validate() throws {
        guard (0...10_000).contains(tail) else { throw ValidationError("--tail takes 0 to 10000") }
    }

    func run() async throws {
        let (options, process) = (options, process)
        let query = ["tail": String(tail), "follow": String(follow)].merging(process.map { ["process": $0] } ?? [:]) { own, _ in own }
        let colour = Console.hasColour
        try await Interrupted.ending {
            try await options.connect { platform, app in
                try await platform.lines(.get, ["apps", app.rawValue, "logs"], query: query) { line in
                    if options.json { try Console.write(line) }
                    let line = try platform.decode(Answers.LogLine.self, line)
                    if let error = line.error?.error { throw error }
                    guard !options.json, let replica = line.replica, let text = line.text else { return }
                    let label = replica.printable
                    try Console.line("\(colour ? Style.forName(label).applied(to: label) : label) | \(text)")
                }
            }
        }
    }
}
