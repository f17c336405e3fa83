import Hummingbird
import Models
import Store

extension APIController {
    var pushRoutes: [Route] {
        [
            Route(
                method: .get, path: "/apps/{app}/pushes", name: "listPushes",
                summary: "Pushes to an app with their builds, the newest first",
                query: Page.query("id"),
                answer: .json(.object([.init("pushes", .array(.named("Push")), "The newest first")]), "The pushes"),
                handler: .app(.inspect, list)),
            Route(
                method: .get, path: "/apps/{app}/builds/{id}/log", name: "readBuildLog",
                summary: "What a build said, as far as it is written",
                answer: .init(status: .ok, contentType: "text/plain", schema: .string(), description: "The lines"),
                handler: .app(.inspect, buildLog)),
        ]
    }

    static let buildShape = Shape<BuildRecord>(
        "Build",
        [
            .init("id", .integer(1...Int.max), "For its log") { JSON($0.id.map { Int($0.rawValue) }) },
            .init("state", .word(["queued", "running", "succeeded", "failed", "cancelled"]), "How it stands") {
                .string($0.state.rawValue)
            },
            .init("buildpack", .nullable(.string()), "What was detected") { JSON($0.buildpack) },
            .init("reason", .nullable(.string()), "Why") { JSON($0.reason) },
            .init("failure", .nullable(.string()), "Why it failed") { JSON($0.failure) },
            .init("startedAt", .string(format: "date-time"), "When it began") { JSON(time: $0.startedAt) },
            .init("endedAt", .nullable(.string(format: "date-time")), "When it ended") { JSON(time: $0.endedAt) },
        ])

    static let pushShape = Shape<PushView>(
        "Push",
        [
            .init("id", .integer(1...Int.max), "Counted up over all apps") { JSON($0.record.id.map { Int($0.rawValue) }) },
            .init("ref", .string(), "The pushed branch, such as refs/heads/main") { .string($0.record.ref) },
            .init("commit", .string(), "The pushed commit's id") { .string($0.record.afterCommit) },
            .init("subject", .string(), "The first line of its message") { .string($0.record.subject) },
            .init("user", .nullable(.string()), "Who pushed; null where the user is no more") { JSON($0.username) },
            .init("state", .word(["waiting", "deploying", "accepted", "rejected", "cancelled"]), "How it stands") {
                .string($0.record.state.rawValue)
            },
            .init("failure", .nullable(.string()), "Why it was rejected") { JSON($0.record.failure) },
            .init("build", .nullable(.named("Build")), "Its build; null before there is one") { $0.build.map(buildShape.json) ?? .null },
            .init("startedAt", .string(format: "date-time"), "When it came") { JSON(time: $0.record.startedAt) },
            .init("endedAt", .nullable(.string(format: "date-time")), "When it was decided") { JSON(time: $0.record.endedAt) },
        ])

    @Sendable private func list(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let page = Page(call)
        let pushes = try await store.read { db in try PushView.page(page, of: app.id, db) }
        return try .json(["pushes": Self.pushShape.json(pushes)])
    }

    @Sendable private func buildLog(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let text = call.parameters["id"] ?? ""
        guard let number = Int64(text), try await store.read({ db in try PushView.owns(BuildID(number), app: app.id, db) }) else {
            throw MoorError(
                .notFound, "“\(app.name)” has no build \(text.prefix(20))", hint: "GET \(Self.prefix)/apps/\(app.name)/pushes lists them")
        }
        let log = try await operations.buildLog(BuildID(number))
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: ResponseBody(byteBuffer: ByteBuffer(string: log)))
    }
}
