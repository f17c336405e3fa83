import Hummingbird
import Logging
import Models

extension APIController {
    var configRoutes: [Route] {
        [
            Route(
                method: .get, path: "/apps/{app}/config", name: "getConfig", summary: "An app's config, values included",
                answer: .json(
                    .object([
                        .init("config", .map(.string()), "Name to value"),
                        .init("build", .array(.string()), "Names of what only builds are given; its values are told to nobody"),
                    ]), "The config"),
                // Values are secrets: whoever may change them may read them, nobody else.
                handler: .app(.operate, get)),
            Route(
                method: .patch, path: "/apps/{app}/config", name: "changeConfig",
                summary: "Change an app's config; where it has a release, a new one is made and rolled out",
                body: .object([
                    .init("set", .map(.string(length: 0...65_536)), "Name to value", isRequired: false),
                    .init("unset", .array(.string()), "Names to take away", isRequired: false),
                ]),
                answer: .lines(.named("Progress"), "Progress, then the new release's number (null where there was none yet) or the error"),
                handler: .app(.operate, change)),
            Route(
                method: .patch, path: "/apps/{app}/config/build", name: "changeBuildConfig",
                summary: "Change what an app's builds are given; no release is made",
                body: .object([
                    .init("set", .map(.string(length: 0...65_536)), "Name to value", isRequired: false),
                    .init("unset", .array(.string()), "Names to take away", isRequired: false),
                ]),
                answer: .json(.object([.init("build", .array(.string()), "The names that are set now")]), "What the next build is given"),
                handler: .app(.operate, changeBuild)),
        ]
    }

    @Sendable private func get(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let config = try await operations.config(app.id)
        let build = try await builds.buildConfigNames(app.id)
        return try .json(["config": .object(config.mapValues { .string($0) }), "build": .array(build.map { .string($0) })])
    }

    @Sendable private func change(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let (set, unset) = try Self.changes(call)
        logger.info(
            "config changed",
            metadata: [
                "app": "\(app.name)", "set": "\(set.keys.sorted())", "unset": "\(unset)", "by": "\(principal.username)",
            ])
        return .progress(for: call.request, heartbeat: heartbeat) { log in
            try await operations.setConfig(app.id, set: set, unset: unset, by: principal, log: log)
        }
    }

    @Sendable private func changeBuild(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let (set, unset) = try Self.changes(call)
        try await builds.setBuildConfig(app.id, set: set, unset: unset)
        logger.info(
            "build config changed",
            metadata: [
                "app": "\(app.name)", "set": "\(set.keys.sorted())", "unset": "\(unset)", "by": "\(principal.username)",
            ])
        return try .json(["build": .array(try await builds.buildConfigNames(app.id).map { .string($0) })])
    }

    private static func changes(_ call: Call) throws(MoorError) -> (set: [String: String], unset: [String]) {
        let set = call.body["set"].members.compactMapValues(\.string)
        let unset = call.body["unset"].array.compactMap(\.string)
        guard !set.isEmpty || !unset.isEmpty else {
            throw MoorError(.invalid, "there is nothing to change", hint: "send {\"set\":{\"NAME\":\"value\"}} or {\"unset\":[\"NAME\"]}")
        }
        for name in set.keys.sorted() + unset { try checkConfigName(name) }
        if let both = unset.first(where: { set[$0] != nil }) {
            throw MoorError(.invalid, "“\(both)” is to be both set and unset", hint: "name it once")
        }
        return (set, unset)
    }

    private static func checkConfigName(_ name: String) throws(MoorError) {
        let isValid =
            name.utf8.count <= 128 && name.first?.isNumber == false
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard isValid else {
            throw MoorError(
                .invalid, "“\(name.prefix(60).filter { !$0.isNewline })” cannot be a config name",
                hint: "use letters, digits and _, not starting with a digit")
        }
    }
}
