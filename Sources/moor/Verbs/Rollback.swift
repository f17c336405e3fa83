import ArgumentParser
import Models

struct Rollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Go back to an earlier release, without a build.",
        discussion: "Makes a new release of the earlier one's image, config and processes. Once begun it goes on, also after Ctrl-C.")

    @Argument(help: ArgumentHelp("The release, such as v3; the one before the live one where it is left out.", valueName: "release"))
    var release: String?

    @OptionGroup var options: AppOptions

    func validate() throws { _ = try number() }

    func run() async throws {
        let body = ["release": try number()]
        try await options.connect { platform, app in
            let new = try await platform.follow(.post, ["apps", app.rawValue, "rollback"], body: body, json: options.json)
            if !options.json, let new { try Console.line("\(app) runs v\(new).") }
        }
    }

    private func number() throws -> Int? { try Self.number(release) }

    /// "v3" or "3" as a number.
    static func number(_ release: String?) throws -> Int? {
        guard let release else { return nil }
        guard let number = Int(release.hasPrefix("v") ? release.dropFirst() : release[...]), number > 0 else {
            throw ValidationError("“\(release)” is not a release, such as v3")
        }
        return number
    }
}
