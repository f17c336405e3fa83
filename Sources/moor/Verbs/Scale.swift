import ArgumentParser
import Models

struct Scale: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set how many replicas of a process run.",
        discussion: "Comes back when they are ready. Such as: moor scale web=3 worker=2")

    @Argument(help: ArgumentHelp("Process and number.", valueName: "process=number"))
    var counts: [String]

    @OptionGroup var options: AppOptions

    func validate() throws {
        if counts.isEmpty { throw ValidationError("name a process and a number, such as web=3") }
        _ = try parsed()
    }

    func run() async throws {
        let counts = try parsed()
        try await options.connect(patience: PlatformClient.longPatience) { platform, app in
            let data = try await platform.send(.post, ["apps", app.rawValue, "scale"], body: counts)
            try Ps.show(data, of: platform, json: options.json)
        }
    }

    private func parsed() throws -> [String: Int] {
        var found: [String: Int] = [:]
        for text in counts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let count = Int(parts[1]), (0...100).contains(count) else {
                throw ValidationError("“\(text)” is not a process and a number from 0 to 100, such as web=3")
            }
            guard found.updateValue(count, forKey: String(parts[0])) == nil else { throw ValidationError("“\(parts[0])” is named twice") }
        }
        return found
    }
}
