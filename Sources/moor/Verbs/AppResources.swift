import ArgumentParser
import Foundation
import Models

struct AppResources: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resources", abstract: "Show or change what each replica of a process is given.",
        discussion: """
            A change is a new release of the same image; it comes back when that is live. Such as: \
            moor resources web --cpu 500m --memory 512Mi
            """)

    @Argument(help: "The process to change, such as web; shows all where it is left out.")
    var process: String?

    @Option(help: ArgumentHelp("Cores, such as 500m or 2.", valueName: "cores"))
    var cpu: String?

    @Option(help: ArgumentHelp("Memory, such as 512Mi or 2Gi.", valueName: "bytes"))
    var memory: String?

    @Option(help: "Processes and threads.")
    var pids: Int?

    @Option(help: ArgumentHelp("What it may write to its own disk, such as 2Gi.", valueName: "bytes"))
    var disk: String?

    @Option(name: .customLong("gpu"), help: "GPUs.")
    var gpus: Int?

    @Flag(help: "Forget what was set before: the app's own moor.yaml counts again.")
    var reset = false

    @OptionGroup var options: AppOptions

    private struct Body: Encodable, Sendable {
        var process: String
        var reset: Bool
        var cpuMillis: Int?
        var memoryBytes: Int64?
        var pids: Int?
        var diskBytes: Int64?
        var gpus: Int?
    }

    func validate() throws {
        let wish = try wish()
        do throws(MoorError) { try wish.check() } catch { throw ValidationError(error.message + ": " + (error.hint ?? "")) }
        let changes = reset || !wish.keys.isEmpty
        if process == nil, changes { throw ValidationError("name the process, such as web") }
        if process != nil, !changes { throw ValidationError("name what to change, such as --memory 512Mi, or --reset") }
    }

    private func wish() throws -> ResourceWish {
        ResourceWish(
            cpuMillis: try cpu.map(Amount.cores), memoryBytes: try memory.map(Amount.bytes), pids: pids,
            diskBytes: try disk.map(Amount.bytes), gpus: gpus)
    }

    func run() async throws {
        let wish = try wish()
        try await options.connect(patience: PlatformClient.longPatience) { platform, app in
            let path = ["apps", app.rawValue, "resources"]
            guard let process else {
                let data = try await platform.send(.get, path)
                return try Self.show(data, of: platform, app, json: options.json)
            }
            let body = Body(
                process: process, reset: reset, cpuMillis: wish.cpuMillis, memoryBytes: wish.memoryBytes, pids: wish.pids,
                diskBytes: wish.diskBytes, gpus: wish.gpus)
            let new = try await platform.follow(.patch, path, body: body, json: options.json)
            if let new, !options.json { try Console.line("\(app) runs v\(new).") }
        }
    }

    private static func show(_ data: Data, of platform: PlatformClient, _ app: AppName, json: Bool) throws {
        if json { return try Console.json(data) }
        var table = Table("PROCESS", "CPU", "MEMORY", "PIDS", "DISK", "GPU", "SET BY")
        for process in try platform.decode(Answers.AllResources.self, data).processes {
            // What nobody asked for is shown faint.
            func cell(_ key: String, _ text: String) -> Table.Cell {
                let source = process.sources[key] ?? "default"
                return .init(source == "default" ? text : "\(text) (\(source))", source == "default" ? .dim : nil)
            }
            table.add(
                .init(process.process, .bold), cell("cpu", Quantity.text(millis: process.cpuMillis)),
                cell("memory", Quantity.text(bytes: process.memoryBytes)), cell("pids", "\(process.pids)"),
                cell("disk", process.diskBytes.map { Quantity.text(bytes: $0) } ?? "no cap"), cell("gpu", "\(process.gpus)"),
                .init(process.setBy ?? ""))
        }
        try table.rows.isEmpty ? Console.note("\(app) has no release yet.") : table.print()
    }
}

/// Quantities of the command line.
enum Amount {
    static func cores(_ text: String) throws -> Int {
        guard let millis = Quantity.millis(text) else { throw ValidationError("“\(text)” is not cores, such as 500m or 2") }
        return millis
    }

    static func bytes(_ text: String) throws -> Int64 {
        guard let bytes = Quantity.bytes(text) else { throw ValidationError("“\(text)” is not bytes, such as 512Mi or 2Gi") }
        return bytes
    }
}
