import ArgumentParser
import Foundation
import Models

struct Sbom: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what is installed in a release's image, as CycloneDX 1.5 JSON.")

    @Argument(help: ArgumentHelp("The app, where it is not the one of the git remote “moorage”.", valueName: "app"))
    var name: String?

    @Option(help: ArgumentHelp("The release, such as v3; the live one where it is left out.", valueName: "release"))
    var release: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Write it to this file.", valueName: "file"))
    var output: String?

    @OptionGroup var options: AppOptions

    func validate() throws {
        if name != nil, options.app != nil { throw ValidationError("name the app once") }
        if release != nil, number == nil { throw ValidationError("--release takes a number such as v3") }
    }

    private var number: Int? {
        release.flatMap { Int($0.hasPrefix("v") ? String($0.dropFirst()) : $0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    func run() async throws {
        var options = options
        options.app = name ?? options.app
        // A release from before bills were kept is looked into first.
        try await options.connect(patience: .seconds(180)) { platform, app in
            let query = number.map { ["release": String($0)] } ?? [:]
            let data = try await platform.send(.get, ["apps", app.rawValue, "sbom"], query: query)
            guard let output else { return try Console.json(data) }
            do { try data.write(to: URL(filePath: output)) } catch {
                throw MoorError(.invalid, "\(output) cannot be written", hint: "check its folder and permissions", cause: error)
            }
        }
    }
}
