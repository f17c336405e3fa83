import GRDB
import Hummingbird
import Logging
import Models
import Store

extension APIController {
    var resourceRoutes: [Route] {
        [
            Route(
                method: .get, path: "/apps/{app}/resources", name: "getResources",
                summary: "What each replica of the live release is given, and who says so",
                answer: .json(
                    .object([.init("processes", .array(.named("Resources")), "Those of the live release; none before the first")]),
                    "The processes"),
                handler: .app(.inspect, get)),
            Route(
                method: .patch, path: "/apps/{app}/resources", name: "changeResources",
                summary: "Change what each replica of a process is given; a new release of the same image is rolled out with it",
                body: .object([
                    .init("process", .string(length: 1...64), "The process type"),
                    .init("reset", .boolean, "Forget first what was set before: the app's own files count again", isRequired: false),
                    .init("cpuMillis", .integer(1...1_000_000), "Thousandths of a core", isRequired: false),
                    .init("memoryBytes", .integer(1...Int.max), "Memory", isRequired: false),
                    .init("pids", .integer(1...Int.max), "Processes and threads", isRequired: false),
                    .init("diskBytes", .integer(1...Int.max), "What it may write to its own disk", isRequired: false),
                    .init("gpus", .integer(0...16), "GPUs", isRequired: false),
                ]),
                answer: .lines(.named("Progress"), "Progress, then the new release's number (null where it is so already) or the error"),
                handler: .app(.operate, change)),
        ]
    }

    struct ProcessResources: Sendable {
        /// As it runs.
        var process: ProcessSpec
        var isDeclared: Set<ResourceKey>
        var wish: ResourceWish?

        func source(_ key: ResourceKey) -> String {
            wish?.keys.contains(key) == true ? "set" : isDeclared.contains(key) ? "moor.yaml" : "default"
        }

        static func all(of release: ReleaseRecord) -> [ProcessResources] {
            zip(release.formation, release.processes).map { own, process in
                ProcessResources(process: process, isDeclared: Set(own.declared), wish: release.wishes?[own.name])
            }
        }
    }

    static let resourcesShape = Shape<ProcessResources>(
        "Resources",
        [
            .init("process", .string(), "The process type") { .string($0.process.name) },
            .init("cpuMillis", .integer(0...Int.max), "Thousandths of a core") { .integer($0.process.resources.cpuMillis) },
            .init("memoryBytes", .integer(0...Int.max), "Memory") { .integer(Int($0.process.resources.memoryBytes)) },
            .init("pids", .integer(0...Int.max), "Processes and threads") { .integer($0.process.resources.pids) },
            .init("diskBytes", .nullable(.integer(0...Int.max)), "What it may write to its own disk; null: as much as there is") {
                JSON($0.process.resources.diskBytes.map { Int($0) })
            },
            .init("gpus", .integer(0...Int.max), "GPUs") { .integer($0.process.resources.gpus) },
            .init("sources", .map(.word(["set", "moor.yaml", "default"])), "Who says so, for cpu, memory, pids, disk and gpu") { view in
                .object(Dictionary(uniqueKeysWithValues: ResourceKey.allCases.map { ($0.rawValue, .string(view.source($0))) }))
            },
            .init("setBy", .nullable(.string()), "Who set something last") { JSON($0.wish?.by) },
        ])

    @Sendable private func get(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let live = try await store.read { db in
            try ReleaseRecord.filter(Column("appID") == app.id && Column("state") == "live").fetchOne(db)
        }
        return try .json(["processes": Self.resourcesShape.json(live.map(ProcessResources.all) ?? [])])
    }

    @Sendable private func change(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let body = call.body
        let wish = ResourceWish(
            cpuMillis: body["cpuMillis"].integer, memoryBytes: body["memoryBytes"].integer.map { Int64($0) }, pids: body["pids"].integer,
            diskBytes: body["diskBytes"].integer.map { Int64($0) }, gpus: body["gpus"].integer)
        let reset = body["reset"] == true
        guard reset || !wish.keys.isEmpty else {
            throw MoorError(.invalid, "there is nothing to change", hint: "send what to set beside the process, or {\"reset\":true}")
        }
        try wish.check()
        let process = body["process"].string ?? ""
        logger.info("resources change", metadata: ["app": "\(app.name)", "process": "\(process)", "by": "\(principal.username)"])
        return .progress(for: call.request, heartbeat: heartbeat) { log in
            try await operations.setResources(app.id, process: process, to: wish, reset: reset, by: principal, log: log)
        }
    }
}
