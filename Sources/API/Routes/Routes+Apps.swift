import Hummingbird
import Logging
import Models
import Store

extension APIController {
    var appRoutes: [Route] {
        [
            Route(
                method: .get, path: "/apps", name: "listApps", summary: "The apps that the caller may look at",
                answer: .json(.object([.init("apps", .array(.named("App")), "By name")]), "The apps"), handler: .signedIn(list)),
            Route(
                method: .post, path: "/apps", name: "createApp", summary: "Make an app that waits for its first push",
                body: .object([.init("name", .string(), "A DNS label of at most 40 characters")]),
                answer: .json(.named("App"), "The new app", status: .created), failures: [.forbidden, .conflict],
                handler: .signedIn(create)),
            Route(
                method: .get, path: "/apps/{app}", name: "getApp", summary: "One app",
                answer: .json(.named("App"), "The app"), handler: .app(.view, get)),
            Route(
                method: .delete, path: "/apps/{app}", name: "deleteApp", summary: "Remove an app with everything of it",
                answer: .nothing("It is gone"), failures: [.conflict], handler: .app(.govern, delete)),
        ]
    }

    struct AppView: Sendable {
        var app: AppOfCaller
        var url: String
    }

    static let appShape = Shape<AppView>(
        "App",
        [
            .init("name", .string(), "The app's name") { .string($0.app.name.rawValue) },
            .init("url", .string(format: "uri"), "Where it answers") { .string($0.url) },
            .init("owner", .string(), "The owner's user name") { .string($0.app.owner) },
            .init("role", .nullable(.named("AppRole")), "What the caller is to it") { JSON($0.app.role?.rawValue) },
            .init("access", .named("AccessMode"), "Who may look at it") { .string($0.app.record.access.rawValue) },
            .init("release", .nullable(.integer(1...Int.max)), "The live release's number; null before the first") {
                JSON($0.app.liveRelease)
            },
            .init("createdAt", .string(format: "date-time"), "When it was made") { JSON(time: $0.app.record.createdAt) },
        ])

    private func view(_ app: AppOfCaller) -> AppView { AppView(app: app, url: operations.url(of: app.name)) }

    @Sendable private func list(_ call: Call, _ principal: Principal) async throws -> Response {
        let apps = try await store.read { db in try AppOfCaller.all(of: principal, db) }
        return try .json(["apps": Self.appShape.json(apps.map(view))])
    }

    @Sendable private func create(_ call: Call, _ principal: Principal) async throws -> Response {
        guard AppPolicy.mayCreateApps(principal) else {
            throw MoorError(.forbidden, "viewers cannot make apps", hint: "ask an admin to make you a developer")
        }
        let name = try AppName(validating: call.body["name"].string ?? "")
        _ = try await operations.createApp(named: name.rawValue, owner: principal)
        logger.info("app made", metadata: ["app": "\(name)", "by": "\(principal.username)"])
        guard let app = try await store.read({ db in try AppOfCaller.named(name, of: principal, db) }) else {
            throw MoorError(.notFound, "the app “\(name)” has just been removed again")
        }
        var response = try Response.json(Self.appShape.json(view(app)), status: .created)
        response.headers[.location] = "\(Self.prefix)/apps/\(name)"
        return response
    }

    @Sendable private func get(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        try .json(Self.appShape.json(view(app)))
    }

    @Sendable private func delete(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        try await operations.deleteApp(app.id)
        logger.info("app removed", metadata: ["app": "\(app.name)", "by": "\(principal.username)"])
        return .nothing
    }
}
