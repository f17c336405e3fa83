import Engine
import Foundation
import Logging
package import Models
import Store

/// A command in a container of its own; encoded, what a later process of the platform must know of it.
struct OneOffState: Sendable, Codable {
    /// Ended ones that are kept of each app.
    static let kept = 10

    var listed: OneOff
    var resources: Resources
    /// nil for one whose container somebody waits for, or is gone.
    var containerID: String?
    /// Of a detached one that ended.
    var tail: [String] = []

    private enum CodingKeys: String, CodingKey { case listed, resources }
}

extension LocalOrchestrator {
    package func oneOffs(of appID: AppID) -> [OneOff] {
        oneOffs.values.map(\.listed).filter { $0.appID == appID }.sorted { ($0.startedAt, $0.name) < ($1.startedAt, $1.name) }
    }

    package func start(
        _ order: CommandOrder, like set: ReplicaSet, appID: AppID, app: AppName, user: String
    ) async throws(MoorError) -> OneOff {
        let key = register(order, like: set, appID: appID, user: user, isDetached: true)
        do {
            guard let state = oneOffs[key] else { throw CancellationError() }
            var spec = try await oneOffSpec(key, order, like: set, appID: appID, app: app)
            spec.labels[Label.detached] = String(decoding: try JSONEncoder().encode(state), as: UTF8.self)
            let id = try await engine.createContainer(spec, name: names.container(oneOff: key))
            oneOffs[key]?.containerID = id
            try await engine.startContainer(id)
            workInput.yield(.follow(oneOff: key))
            changed(appID)
            return state.listed
        } catch {
            let container = names.container(oneOff: key)
            await Task { [engine] in try? await engine.removeContainer(container) }.value
            forget(oneOff: key)
            throw engineError(error, "the command could not be started")
        }
    }

    package func stopOneOff(named name: String, of appID: AppID) async throws(MoorError) {
        let key = Self.key(name, of: appID)
        guard let state = oneOffs[key], state.listed.end == nil else {
            throw MoorError(.notFound, "no command “\(name.prefix(60))” runs", hint: "moor ps shows which do")
        }
        workInput.yield(.stop(oneOff: key))
    }

    /// Whoever follows it sees it end.
    func stop(oneOff key: String) async {
        try? await engine.stopContainer(names.container(oneOff: key), grace: configuration.stopGraceSeconds)
    }

    /// Waits for the end of a detached one, keeps its last words, removes it.
    func follow(oneOff key: String) async {
        guard let state = oneOffs[key], let id = state.containerID else { return }
        var code: Int?
        while true {
            do {
                code = try await engine.waitContainer(id, deadline: .seconds(24 * 3600))
                break
            } catch {
                guard !Task.isCancelled else { return }
                try? await Task.sleep(for: .seconds(1))
            }
        }
        async let lines = readTail(id)
        let details = try? await engine.inspectContainer(id)
        let reason = code == 0 ? nil : await endReason(of: id, details: details, exitCode: code, resources: state.resources)
        oneOffs[key]?.tail = await lines
        oneOffs[key]?.containerID = nil
        oneOffs[key]?.listed.end = .init(exitCode: code ?? 137, reason: reason)
        try? await engine.removeContainer(id)
        logger.info(
            "command ended", metadata: ["app": "\(state.listed.appID)", "command": "\(state.listed.name)", "code": "\(code ?? 137)"])
        let ended = oneOffs.filter { $0.value.listed.appID == state.listed.appID && $0.value.listed.end != nil }
        for old in ended.sorted(by: { $0.value.listed.startedAt < $1.value.listed.startedAt }).dropLast(OneOffState.kept) {
            oneOffs[old.key] = nil
        }
        changed(state.listed.appID)
    }

    /// Takes over what an earlier process started and nobody is at the other end of.
    /// - Returns: the other containers.
    func adoptOneOffs(among containers: [ContainerSummary]) -> [ContainerSummary] {
        containers.filter { container in
            guard let text = container.labels[Label.detached], let key = container.labels[Label.oneOff],
                var state = try? JSONDecoder().decode(OneOffState.self, from: Data(text.utf8))
            else { return true }
            guard oneOffs[key] == nil else { return false }
            state.containerID = container.id
            oneOffs[key] = state
            workInput.yield(.follow(oneOff: key))
            return false
        }
    }

    /// - Returns: its key.
    func register(_ order: CommandOrder, like set: ReplicaSet, appID: AppID, user: String, isDetached: Bool) -> String {
        let kind = order.arguments.isEmpty ? set.process.name : "run"
        var name: String
        repeat { name = "\(kind).\(Int.random(in: 1000...9999))" } while oneOffs[Self.key(name, of: appID)] != nil
        let listed = OneOff(
            name: name, appID: appID, releaseNumber: set.releaseNumber, process: set.process.name,
            program: order.arguments.isEmpty ? set.process.name : order.programName, user: user, isDetached: isDetached, startedAt: now())
        let key = Self.key(name, of: appID)
        oneOffs[key] = OneOffState(listed: listed, resources: set.process.resources)
        changed(appID)
        return key
    }

    func forget(oneOff key: String) {
        guard let state = oneOffs.removeValue(forKey: key) else { return }
        changed(state.listed.appID)
    }

    private static func key(_ name: String, of appID: AppID) -> String { "\(appID).\(name)" }

    /// Those whose containers have somebody who removes them.
    var ownedOneOffs: Set<String> { Set(oneOffs.filter { $0.value.listed.end == nil }.keys) }
}
