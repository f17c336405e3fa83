import Engine
import Foundation
import Logging
package import Models

extension LocalOrchestrator {
    package func run(_ set: ReplicaSet, appID: AppID, app: AppName, log: DeployLog) async throws(MoorError) {
        let label = UUID().uuidString.lowercased()
        oneOffs.insert(label)
        defer { oneOffs.remove(label) }
        do {
            async let user = imageUser(set.image)
            let network = try await network(of: appID, app: app)
            let spec = containerSpec(
                set, appID: appID, app: app, network: network, imageUser: try await user, labels: [Label.oneOff: label])
            let name = "moor-\(names.tag)-\(app).\(set.process.name).\(label.prefix(8))"
            let outcome: Result<(id: String, details: ContainerDetails?), any Error>
            do { outcome = .success(try await runToEnd(spec, name: name, log: log)) } catch { outcome = .failure(error) }
            // Also where the caller was cancelled; awaited here.
            await Task { [engine] in try? await engine.removeContainer(name) }.value
            let (id, details) = try outcome.get()
            let code = details?.state.exitCode ?? -1
            guard code == 0 else {
                let reason = await endReason(of: id, details: details, exitCode: code, resources: set.process.resources)
                throw MoorError(
                    .appFailed, "the \(set.process.name) command \(reason)",
                    hint: "its output is above; it runs before each rollout and must succeed")
            }
        } catch {
            throw engineError(error, "the \(set.process.name) command could not be run")
        }
    }

    private func runToEnd(_ spec: ContainerSpec, name: String, log: DeployLog) async throws -> (id: String, details: ContainerDetails?) {
        let limit = configuration.releaseCommandLimit
        return try await withThrowingTaskGroup(of: (id: String, details: ContainerDetails?).self) { group in
            group.addTask { [engine] in
                let id = try await engine.createContainer(spec, name: name)
                try await engine.startContainer(id)
                // Ends with the container.
                try await engine.logs(of: id, tail: -1, follow: true) { line in await log.line(line) }
                var details = try await engine.inspectContainer(id)
                while details?.state.running == true {
                    try await Task.sleep(for: .milliseconds(50))
                    details = try await engine.inspectContainer(id)
                }
                return (id, details)
            }
            group.addTask {
                try await Task.sleep(for: limit)
                throw MoorError(
                    .timedOut, "the release command did not end within \(Int(limit / .seconds(1))) s",
                    hint: "make it shorter, or ask the platform's admin for a longer limit")
            }
            defer { group.cancelAll() }
            guard let ended = try await group.next() else { throw CancellationError() }
            return ended
        }
    }
}
