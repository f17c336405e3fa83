import ArgumentParser
import Foundation
import Models

struct Access: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show or change who may look at an app.",
        subcommands: [AccessSet.self, AccessAdd.self, AccessRemove.self], defaultSubcommand: AccessSet.self)

    static func show(_ data: Data, of platform: PlatformClient, _ app: AppName, json: Bool) throws {
        if json { return try Console.json(data) }
        let access = try platform.decode(Answers.Access.self, data)
        let meaning =
            switch access.mode {
            case "public": "anybody may look at it, signed in or not"
            case "named": "those named here may look at it"
            default: "every signed-in user may look at it"
            }
        try Console.line("\(app) is \(access.mode.printable): \(meaning).")
        var table = Table("USER", "ROLE")
        table.add(.init(access.owner, .bold), "owner")
        for user in access.users { table.add(.init(user.username, .bold), .init(user.role)) }
        try table.print()
    }
}

struct AccessSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Show who may look at an app, or set it: public, signed-in or named.")

    @Argument(help: "public, signed-in or named; shows what it is where it is left out.")
    var mode: String?

    @OptionGroup var options: AppOptions

    func validate() throws {
        if let mode, AccessMode(rawValue: mode) == nil { throw ValidationError("“\(mode)” is none of public, signed-in, named") }
    }

    func run() async throws {
        try await options.connect { platform, app in
            let path = ["apps", app.rawValue, "access"]
            let data =
                if let mode { try await platform.send(.put, path, body: ["mode": mode]) } else { try await platform.send(.get, path) }
            try Access.show(data, of: platform, app, json: options.json)
        }
    }
}
