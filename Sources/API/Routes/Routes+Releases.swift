import Hummingbird
import Logging
import Models
import Store

extension APIController {
    var releaseRoutes: [Route] {
        [
            Route(
                method: .get, path: "/apps/{app}/releases", name: "listReleases", summary: "An app's releases, the newest first",
                query: Page.query("release number"),
                answer: .json(.object([.init("releases", .array(.named("Release")), "The newest first")]), "The releases"),
                handler: .app(.inspect, list)),
            Route(
                method: .post, path: "/apps/{app}/rollback", name: "rollback",
                summary: "Make an earlier release's image, config and processes a new release",
                body: .object([
                    .init(
                        "release", .nullable(.integer(1...Int.max)), "Its number; null for the one before the live one", isRequired: false)
                ]),
                answer: .lines(.named("Progress"), "Progress, then the new release's number or the error"),
                handler: .app(.operate, rollback)),
        ]
    }

    static let processShape = Shape<ProcessSpec>(
        "Process",
        [
            .init("name", .string(), "The process type") { .string($0.name) },
            .init("command", .string(), "How it is started") { .string($0.command) },
            .init("replicas", .integer(0...Int.max), "How many run where nobody scaled it") { .integer($0.replicas) },
        ])

    static let releaseShape = Shape<ReleaseView>(
        "Release",
        [
            .init("number", .integer(1...Int.max), "Counted up per app") { .integer($0.record.number) },
            .init("state", .word(["rolling", "live", "superseded", "failed"]), "How it stands") { .string($0.record.state.rawValue) },
            .init("cause", .word(["push", "config", "rollback"]), "What made it") { .string($0.record.cause.rawValue) },
            .init("description", .string(), "In a few words") { .string($0.record.description) },
            .init("user", .nullable(.string()), "Who made it; null where the user is no more") { JSON($0.username) },
            .init("commit", .nullable(.string()), "The pushed commit's id; null where no push made it") { JSON($0.commit) },
            .init("failure", .nullable(.string()), "Why it failed") { JSON($0.record.failure) },
            .init("processes", .array(.named("Process")), "What it runs") { processShape.json($0.record.formation) },
            .init("createdAt", .string(format: "date-time"), "When it was made") { JSON(time: $0.record.createdAt) },
            .init("liveAt", .nullable(.string(format: "date-time")), "When it went live") { JSON(time: $0.record.liveAt) },
        ])

    @Sendable private func list(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let page = Page(call)
        let releases = try await store.read { db in try ReleaseView.page(page, of: app.id, db) }
        return try .json(["releases": Self.releaseShape.json(releases)])
    }

    @Sendable private func rollback(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let wanted = call.body["release"].integer
        logger.info(
            "rollback", metadata: ["app": "\(app.name)", "to": "\(wanted.map(String.init) ?? "previous")", "by": "\(principal.username)"])
        return .progress(for: call.request, heartbeat: heartbeat) { log in
            try await operations.rollback(app.id, to: wanted, by: principal, log: log)
        }
    }
}
