import Engine
import Foundation
import GRDB
import Logging
package import Models
import Store

extension BuildService {
    /// Keeps what is installed in a layer.
    func keepInventory(_ packages: [InstalledPackage], of layerID: String) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let document = try Deflated.deflate(Array(encoder.encode(packages)))
        try await store.write { db in try InventoryRecord(layerID: layerID, document: document, createdAt: now()).save(db) }
    }

    /// A CycloneDX 1.5 document of what a release's image holds.
    /// - Parameter number: nil for the live release.
    /// - Throws: `notFound` where there is no such release, or its image is gone and nothing was kept of what it held.
    package func bill(of appID: AppID, release number: Int?) async throws(MoorError) -> String {
        let found = try await store.read { db in
            try Released.fetchOne(
                db,
                sql: """
                    SELECT apps.name AS app, releases.number AS number, images.digest AS digest, images.reference AS reference,
                        images.createdAt AS createdAt, images.removedAt AS removedAt, builds.layerID AS layerID,
                        builds.buildpack AS buildpack, coalesce(own.afterCommit, built.afterCommit) AS afterCommit
                    FROM releases JOIN apps ON apps.id = releases.appID JOIN images ON images.id = releases.imageID
                    JOIN builds ON builds.id = images.buildID JOIN pushes AS built ON built.id = builds.pushID
                    LEFT JOIN pushes AS own ON own.id = releases.pushID
                    WHERE releases.appID = :app AND (releases.number = :number OR (:number IS NULL AND releases.id = apps.liveReleaseID))
                    """, arguments: ["app": appID, "number": number])
        }
        guard let found else {
            throw MoorError(
                .notFound, number.map { "there is no release v\($0)" } ?? "the app has not been released yet",
                hint: "moor releases lists what there is")
        }
        let packages = try await inventory(found.layerID ?? found.digest, image: found.removedAt == nil ? found.reference : nil)
        let subject = CycloneDX.Subject(
            app: found.app, commit: found.afterCommit, release: found.number, buildpack: found.buildpack, image: found.digest,
            builtAt: found.createdAt)
        do {
            return String(decoding: try CycloneDX(subject, packages).encoded(), as: UTF8.self)
        } catch {
            throw .wrapping(error, "the bill of materials could not be written")
        }
    }

    private struct Released: Decodable, FetchableRecord, Sendable {
        var app: String
        var number: Int
        var digest: String
        var reference: String
        var createdAt: Double
        var removedAt: Double?
        var layerID: String?
        var buildpack: String?
        var afterCommit: String
    }

    /// What is kept of the layer, or what a look into the image that stands on it tells, which is kept then.
    private func inventory(_ layerID: String, image: String?) async throws(MoorError) -> [InstalledPackage] {
        if let kept = try await store.read({ db in try InventoryRecord.fetchOne(db, key: layerID) }) {
            let plain = try Deflated.inflate(kept.document)
            if let packages = try? JSONDecoder().decode([InstalledPackage].self, from: Data(plain)) { return packages }
        }
        guard let image else {
            throw MoorError(.notFound, "the image of that release is no longer kept", hint: "name a newer release")
        }
        do {
            let packages = try await look(into: image)
            try await keepInventory(packages, of: layerID)
            return packages
        } catch {
            throw BuildRun.forPeople(error)
        }
    }

    private func look(into image: String) async throws -> [InstalledPackage] {
        let limits = configuration.limits
        let name = "\(ImageNames.containerPrefix(configuration.platformID))inventory-\(UUID().uuidString.prefix(8).lowercased())"
        let engine = engine
        let outcome: Result<[InstalledPackage], any Error>
        do {
            let container = try await engine.createBuildContainer(
                BuildContainer(
                    name: name, image: image, command: ["sleep", "120"], user: "65534:65534", workingDirectory: "/", environment: [],
                    cpuMillis: limits.cpuMillis, memoryBytes: limits.memoryBytes, pids: limits.pids, rlimits: BuildEnvironment.rlimits(),
                    runs: false))
            try await engine.startBuildContainer(container)
            outcome = .success(try await BuildRun.inventory(engine, container))
        } catch {
            outcome = .failure(error)
        }
        await Task { try? await engine.removeBuildContainer(name) }.value
        return try outcome.get()
    }
}

extension BuildRun {
    /// What is installed in a running container.
    static func inventory(_ engine: EngineClient, _ container: String) async throws -> [InstalledPackage] {
        let command = BuildCommand(
            arguments: InventoryScript.arguments, user: "65534:65534", environment: ["HOME=/nonexistent", "LC_ALL=C.UTF-8"])
        var output: [UInt8] = []
        _ = try await engine.execute(command, in: container, deadline: .seconds(90)) { bytes in
            if output.count < Deflated.most / 2 { output += bytes }
        }
        return InstalledPackage.read(output)
    }
}
