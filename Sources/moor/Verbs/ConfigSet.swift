import ArgumentParser

struct ConfigSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set config and roll it out.",
        discussion: "NAME=- reads the value from standard input, so that a secret stands in no process list and no shell history.")

    @Argument(help: ArgumentHelp("Name and value.", valueName: "name=value"))
    var values: [String]

    @Flag(name: .customLong("build"), help: "For builds alone, such as the token of a package index: no release is made.")
    var isForBuilds = false

    @OptionGroup var options: AppOptions

    func validate() throws {
        if values.isEmpty { throw ValidationError("name what to set, such as DEBUG=1") }
        let pairs = try pairs()
        if pairs.filter({ $0.value == "-" }).count > 1 { throw ValidationError("only one value can come from standard input") }
    }

    func run() async throws {
        var change = Config.Change()
        for (name, value) in try pairs() {
            change.set[name] = value == "-" ? try Prompt.secretFromStandardInput("the value of \(name)") : value
        }
        try await isForBuilds ? change.keepForBuilds(options) : change.roll(out: options)
    }

    private func pairs() throws -> [(name: String, value: String)] {
        try values.map { text in
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw ValidationError("“\(text.prefix { $0 != "=" })” is not a name and a value, such as DEBUG=1")
            }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }
}

struct ConfigUnset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "unset", abstract: "Take config away and roll that out.")

    @Argument(help: ArgumentHelp("What to take away.", valueName: "name"))
    var names: [String]

    @Flag(name: .customLong("build"), help: "Of what is for builds alone.")
    var isForBuilds = false

    @OptionGroup var options: AppOptions

    func validate() throws {
        if names.isEmpty { throw ValidationError("name what to take away") }
    }

    func run() async throws {
        let change = Config.Change(unset: names)
        try await isForBuilds ? change.keepForBuilds(options) : change.roll(out: options)
    }
}
