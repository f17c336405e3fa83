import Foundation
import Hummingbird
import Models
import Store

extension APIController {
    var imageRoutes: [Route] {
        [
            Route(
                method: .get, path: "/images", name: "diskUse", summary: "What images, layers and caches take on the engine's disk",
                answer: .json(
                    .object([
                        .init("apps", .array(.named("DiskUse")), "The apps that the caller works on, the largest first"),
                        .init("sharedBytes", .nullable(.integer(0...Int.max)), "What is no app's own, counted once; for admins"),
                        .init("totalBytes", .nullable(.integer(0...Int.max)), "Of everything, apps that are gone too; for admins"),
                    ]), "The use"),
                handler: .signedIn(images)),
            Route(
                method: .get, path: "/apps/{app}/sbom", name: "billOfMaterials",
                summary: "What is installed in a release's image, as CycloneDX 1.5",
                query: [.init("release", .integer(1...Int.max), "Its number; the live one where it is left out", isRequired: false)],
                answer: .json(.anything, "The document"), handler: .app(.inspect, bill)),
        ]
    }

    struct DiskUseView: Sendable {
        var app: AppName
        var use: DiskUse.App
    }

    static let diskUseShape = Shape<DiskUseView>(
        "DiskUse",
        [
            .init("app", .string(), "The app's name") { .string($0.app.rawValue) },
            .init("images", .integer(0...Int.max), "How many images are kept") { .integer($0.use.images) },
            .init("imageBytes", .integer(0...Int.max), "What they take beyond the layers below them") { .integer(Int($0.use.imageBytes)) },
            .init("layers", .integer(0...Int.max), "How many layers of installed packages are kept") { .integer($0.use.layers) },
            .init("layerBytes", .integer(0...Int.max), "What those take") { .integer(Int($0.use.layerBytes)) },
            .init("cacheBytes", .integer(0...Int.max), "What package managers keep from build to build") {
                .integer(Int($0.use.cacheBytes))
            },
            .init("ownBytes", .integer(0...Int.max), "What would be free without the app") { .integer(Int($0.use.ownBytes)) },
            .init("sharedBytes", .integer(0...Int.max), "What it stands on that is not its own") { .integer(Int($0.use.sharedBytes)) },
        ])

    @Sendable private func images(_ call: Call, _ principal: Principal) async throws -> Response {
        let apps = try await store.read { db in try AppOfCaller.all(of: principal, db) }.filter { $0.allows(.inspect) }
        let use = apps.isEmpty && !principal.isAdmin ? DiskUse() : try await builds.diskUse()
        let views = apps.map { DiskUseView(app: $0.name, use: use.apps[$0.name] ?? .init()) }
            .sorted { ($0.use.ownBytes, $1.app) > ($1.use.ownBytes, $0.app) }
        return try .json([
            "apps": Self.diskUseShape.json(views),
            "sharedBytes": principal.isAdmin ? .integer(Int(use.sharedBytes)) : .null,
            "totalBytes": principal.isAdmin ? .integer(Int(use.totalBytes)) : .null,
        ])
    }

    @Sendable private func bill(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let text = try await builds.bill(of: app.id, release: call.query["release"].flatMap { Int($0) })
        return try .json(JSONDecoder().decode(JSON.self, from: Data(text.utf8)))
    }
}
