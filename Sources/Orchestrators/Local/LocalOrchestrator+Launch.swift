import Engine
import Foundation
import GRDB
import Logging
import Models
import Store

extension LocalOrchestrator {
    /// At most so many launches at a time; the rest wait in the order they came.
    func queueLaunch(_ appID: AppID, _ replicaID: ReplicaID) {
        waitingLaunches.append((appID, replicaID))
        startLaunches()
    }

    private func startLaunches() {
        while runningLaunches < configuration.parallelLaunches, !waitingLaunches.isEmpty {
            let (appID, replicaID) = waitingLaunches.removeFirst()
            runningLaunches += 1
            workInput.yield(.launch(appID, replicaID))
        }
    }

    func launch(_ appID: AppID, _ replicaID: ReplicaID) async {
        var containerID: String?
        do {
            if let launched = try await tryLaunch(appID, replicaID, created: &containerID) {
                workInput.yield(.watch(appID, replicaID, containerID: launched))
            }
        } catch {
            await launchFailed(appID, replicaID, containerID: containerID, error: error)
        }
        runningLaunches -= 1
        startLaunches()
        if apps[appID]?.replicas[replicaID]?.phase == .launching {
            // What is desired changed before anything was created.
            apps[appID]?.replicas[replicaID]?.postponed(until: .now)
            workInput.yield(.reconcile(appID))
        }
        // Whoever wanted it ended meanwhile left that to us.
        if case .ending = apps[appID]?.replicas[replicaID]?.phase {
            apps[appID]?.replicas[replicaID]?.phase = .ending(containerID: containerID)
            workInput.yield(.finish(appID, replicaID))
        }
        changed(appID)
    }

    /// - Returns: the container's id; nil where the replica is no longer wanted.
    private func tryLaunch(_ appID: AppID, _ replicaID: ReplicaID, created: inout String?) async throws -> String? {
        guard let state = apps[appID], let replica = state.replicas[replicaID], replica.phase == .launching,
            let member = state.desired?.slots[replica.slot], member.digest == replica.digest
        else { return nil }
        async let user = imageUser(member.set.image)
        let network = try await network(of: appID, app: state.app)
        let devices = try await devices(for: replicaID, of: member.set.releaseID, appID, member.set.process.resources)
        defer { devicesInHand[replicaID] = nil }
        let spec = containerSpec(
            member.set, appID: appID, app: state.app, network: network, imageUser: try await user, devices: devices,
            labels: [
                Label.replica: "\(replicaID)", Label.ordinal: "\(replica.slot.ordinal)", Label.spec: replica.digest,
            ])
        let containerID = try await create(spec, name: names.container(state.app, replica))
        created = containerID
        // The row names the container before anybody relies on it; starting it need not wait for the disk.
        async let stored: Void = store.write { db in
            try db.execute(sql: "UPDATE replicas SET containerID = ? WHERE id = ?", arguments: [containerID, replicaID])
        }
        guard apps[appID]?.replicas[replicaID]?.phase == .launching else {
            try await stored
            return nil
        }
        try await engine.startContainer(containerID)
        try await stored
        let details = try await engine.inspectContainer(containerID)
        apps[appID]?.replicas[replicaID]?.started(
            containerID: containerID, address: details?.address(in: network.name), at: .now, unixTime: now())
        logger.info("replica started", metadata: metadata(appID, replica))
        // The end of a container that lived for so short a time came before anybody knew whose it was.
        if details?.state.running != true || earlyEnds.contains(containerID) { ended(containerID: containerID, exitCode: nil) }
        return containerID
    }

    /// A crash may have left a container of that name; it is of this replica's row, so it may go.
    private func create(_ spec: ContainerSpec, name: String) async throws -> String {
        do {
            return try await engine.createContainer(spec, name: name)
        } catch let refusal as EngineRefusal where refusal.status == 409 || refusal.message.contains("already in use") {
            try await engine.removeContainer(name)
            return try await engine.createContainer(spec, name: name)
        }
    }

    private func launchFailed(_ appID: AppID, _ replicaID: ReplicaID, containerID: String?, error: any Error) async {
        if let containerID { try? await engine.removeContainer(containerID) }
        guard let replica = apps[appID]?.replicas[replicaID], replica.phase == .launching else { return }
        var metadata = metadata(appID, replica)
        metadata["cause"] = "\(error)"
        logger.warning("replica did not start", metadata: metadata)
        let now = Instant.now
        if let refusal = error as? EngineRefusal {
            if refusal.status == 404, let image = apps[appID]?.desired?.slots[replica.slot]?.set.image,
                imagesInTheMaking.insert(image).inserted
            {
                workInput.yield(.restore(appID, image: image))
            }
            let failure = Failure(exitCode: nil, reason: "its container could not be started: \(refusal.message.prefix(300))")
            apps[appID]?.replicas[replicaID]?.failed(failure, at: now, backoff: configuration.backoff)
        } else if let error = error as? MoorError, error.code == .appFailed {
            apps[appID]?.replicas[replicaID]?.failed(Failure(exitCode: nil, reason: error.message), at: now, backoff: configuration.backoff)
        } else {
            apps[appID]?.replicas[replicaID]?.postponed(until: now + .seconds(1))
        }
        workInput.yield(.reconcile(appID))
    }

    /// An image that the engine has no more, as somebody took it, is made again; the replicas that wait for it then start at once.
    func restore(_ image: String, of appID: AppID) async {
        defer { imagesInTheMaking.remove(image) }
        guard (try? await engine.image(image)) == .some(nil) else { return }
        do throws(MoorError) {
            try await restoreImage(image)
        } catch {
            logger.error(
                "an image is gone from the engine and could not be made again",
                metadata: ["image": "\(image)", "error": "\(error.message)", "detail": "\(error.detail.suffix(3))"])
            return
        }
        for (id, replica) in apps[appID]?.replicas ?? [:] {
            guard case .waiting = replica.phase, apps[appID]?.desired?.slots[replica.slot]?.set.image == image else { continue }
            apps[appID]?.replicas[id]?.phase = .waiting(until: .now, failure: nil)
        }
        workInput.yield(.reconcile(appID))
    }

    /// What a replica or a command runs in.
    func containerSpec(
        _ set: ReplicaSet, appID: AppID, app: AppName, network: AppNetwork, imageUser: String, devices: [String] = [],
        labels: [String: String]
    ) -> ContainerSpec {
        let resources = set.process.resources
        // The app's own config wins, but never over what the platform says of itself.
        let own = set.environment.filter { !$0.key.hasPrefix("MOOR_") || network.environment[$0.key] == nil }
        var environment = network.environment.merging(own) { _, own in own }
        if let port = set.process.port { environment["PORT"] = "\(port)" }
        let common = [
            Label.platform: configuration.platformID, Label.app: "\(appID)", Label.appName: app.rawValue,
            Label.release: "\(set.releaseID)", Label.releaseNumber: "\(set.releaseNumber)", Label.process: set.process.name,
            Label.devices: devices.joined(separator: ","),
        ]
        let command = set.process.command
        return ContainerSpec(
            image: set.image,
            // Without a command the image's own is run: a Dockerfile that says all itself.
            entrypoint: command.isEmpty ? nil : ["/bin/sh", "-c"],
            command: command.isEmpty ? nil : [ShellCommand.replacingShell(command)],
            user: Self.user(imageUser), env: environment.map { "\($0)=\($1)" }.sorted(),
            labels: common.merging(labels) { _, own in own }, stopTimeout: configuration.stopGraceSeconds,
            host: .init(
                nanoCPUs: Int64(resources.cpuMillis) * 1_000_000, memoryBytes: resources.memoryBytes, pids: resources.pids,
                ulimits: configuration.limits.containerUlimits, logBytes: configuration.logBytes, networkMode: network.name,
                devices: devices))
    }

    /// Never root: the image's user where it names another, else 10001.
    static func user(_ imageUser: String) -> String {
        let name = imageUser.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        let isRoot = name.isEmpty || name == "root" || Int(name) == 0
        return isRoot ? "10001:10001" : imageUser
    }

    func imageUser(_ image: String) async throws -> String {
        if let known = imageUsers[image] { return known }
        let user = try await engine.imageUser(image)
        if imageUsers.count > 1000 { imageUsers.removeAll() }
        imageUsers[image] = user
        return user
    }

    func metadata(_ appID: AppID, _ replica: Replica) -> Logger.Metadata {
        [
            "app": "\(apps[appID]?.app.rawValue ?? "\(appID)")", "release": "v\(replica.releaseNumber)", "replica": "\(replica.name)",
            "restarts": "\(replica.restarts)",
        ]
    }
}
