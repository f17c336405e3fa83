import Hummingbird
import Logging
import Models

extension APIController {
    var rolloutRoutes: [Route] {
        [
            Route(
                method: .get, path: "/apps/{app}/rollout", name: "getRollout", summary: "How the app's change of releases stands",
                answer: .json(.named("Rollout"), "The rollout, or that there is none"), handler: .app(.inspect, show)),
            Route(
                method: .post, path: "/apps/{app}/rollout/pause", name: "pauseRollout",
                summary: "Hold the rollout, or the next one, before its next wave and before the traffic is switched",
                answer: .json(.named("Rollout"), "The rollout"), handler: .app(.operate, pause)),
            Route(
                method: .post, path: "/apps/{app}/rollout/resume", name: "resumeRollout", summary: "Let a paused rollout go on",
                answer: .json(.named("Rollout"), "The rollout"), failures: [.conflict], handler: .app(.operate, resume)),
            Route(
                method: .post, path: "/apps/{app}/rollout/undo", name: "undoRollout",
                summary: "Take the rollout back, or end the canary, or else roll back to the release before",
                answer: .lines(.named("Progress"), "Progress, then the live release's number or the error"),
                handler: .app(.operate, undo)),
            Route(
                method: .post, path: "/apps/{app}/rollout/canary", name: "startCanary",
                summary: "Give an earlier release, or the canary that there is, a share of the viewers",
                body: .object([
                    .init("percent", .integer(1...99), "Of a hundred viewers"),
                    .init("release", .nullable(.integer(1...Int.max)), "Its number; null for the canary that there is", isRequired: false),
                ]),
                answer: .lines(.named("Progress"), "Progress, then the canary's number or the error"), handler: .app(.operate, canary)),
            Route(
                method: .post, path: "/apps/{app}/rollout/promote", name: "promoteCanary", summary: "Make the canary the live release",
                answer: .lines(.named("Progress"), "Progress, then its number or the error"), handler: .app(.operate, promote)),
        ]
    }

    static let rolloutProcessShape = Shape<RolloutStatus.Process>(
        "RolloutProcess",
        [
            .init("name", .string(), "The process type") { .string($0.name) },
            .init("oldReady", .integer(0...Int.max), "Replicas of the live release that are ready") { .integer($0.oldReady) },
            .init("oldWanted", .integer(0...Int.max), "Of how many it had before") { .integer($0.oldWanted) },
            .init("newReady", .integer(0...Int.max), "Replicas of the new release that are ready") { .integer($0.newReady) },
            .init("newWanted", .integer(0...Int.max), "Of how many it is to have") { .integer($0.newWanted) },
        ])

    static let releaseTrafficShape = Shape<ReleaseTraffic>(
        "ReleaseTraffic",
        [
            .init("release", .integer(0...Int.max), "The release's number") { .integer($0.number) },
            .init("requests", .integer(0...Int.max), "Requests since the canary began, or the platform did") { .integer($0.requests) },
            .init("errors", .integer(0...Int.max), "Answers from 500 on, and none") { .integer($0.errors) },
            .init("p50Milliseconds", .nullable(.integer(0...Int.max)), "Half were answered within this") {
                JSON($0.p50Milliseconds.map { Int($0.rounded()) })
            },
            .init("p95Milliseconds", .nullable(.integer(0...Int.max)), "All but one in twenty were") {
                JSON($0.p95Milliseconds.map { Int($0.rounded()) })
            },
        ])

    static let rolloutShape = Shape<RolloutStatus>(
        "Rollout",
        [
            .init("phase", .word(RolloutStatus.Phase.allCases.map(\.rawValue)), "How it stands") { .string($0.phase.rawValue) },
            .init("live", .nullable(.integer(1...Int.max)), "The live release's number") { JSON($0.live) },
            .init("release", .nullable(.integer(1...Int.max)), "The release that rolls out, or the canary") { JSON($0.release) },
            .init("since", .nullable(.string(format: "date-time")), "When it began") { JSON(time: $0.since) },
            .init("waitingFor", .nullable(.string()), "What it waits for") { JSON($0.waitingFor) },
            .init("newShare", .nullable(.integer(0...100)), "Of a hundred viewers, how many the new release gets now") {
                JSON($0.newShare)
            },
            .init("processes", .array(.named("RolloutProcess")), "Replicas of both") { rolloutProcessShape.json($0.processes) },
            .init("traffic", .array(.named("ReleaseTraffic")), "What both answered, with a canary") {
                releaseTrafficShape.json($0.traffic)
            },
        ])

    @Sendable private func show(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        try .json(Self.rolloutShape.json(try await operations.rollout(app.id)))
    }

    @Sendable private func pause(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        logger.info("rollout paused", metadata: ["app": "\(app.name)", "by": "\(principal.username)"])
        try await operations.pauseRollout(app.id, by: principal)
        return try await show(call, principal, app)
    }

    @Sendable private func resume(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        logger.info("rollout resumed", metadata: ["app": "\(app.name)", "by": "\(principal.username)"])
        try await operations.resumeRollout(app.id, by: principal)
        return try await show(call, principal, app)
    }

    @Sendable private func undo(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        logger.info("rollout undone", metadata: ["app": "\(app.name)", "by": "\(principal.username)"])
        return .progress(for: call.request, heartbeat: heartbeat) { log in
            try await operations.undoRollout(app.id, by: principal, log: log)
        }
    }

    @Sendable private func canary(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        let (number, percent) = (call.body["release"].integer, call.body["percent"].integer ?? 0)
        logger.info("canary", metadata: ["app": "\(app.name)", "percent": "\(percent)", "by": "\(principal.username)"])
        return .progress(for: call.request, heartbeat: heartbeat) { log in
            try await operations.canary(app.id, release: number, percent: percent, by: principal, log: log)
        }
    }

    @Sendable private func promote(_ call: Call, _ principal: Principal, _ app: AppOfCaller) async throws -> Response {
        logger.info("canary promoted", metadata: ["app": "\(app.name)", "by": "\(principal.username)"])
        return .progress(for: call.request, heartbeat: heartbeat) { log in
            try await operations.promoteCanary(app.id, by: principal, log: log)
        }
    }
}
