import AsyncHTTPClient
import Foundation
import Models
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import Builds

private let root = URL(filePath: shippedBuildpacks)

/// Every folder of `buildpacks/` that has a `buildpack.yaml`.
private let folders = ((try? FileManager.default.contentsOfDirectory(atPath: shippedBuildpacks)) ?? []).sorted().filter {
    FileManager.default.fileExists(atPath: "\(shippedBuildpacks)/\($0)/buildpack.yaml")
}

/// Those with an example; an overlay stands on another's.
private let examples = folders.filter { FileManager.default.fileExists(atPath: "\(shippedBuildpacks)/\($0)/example") }

/// What holds for every buildpack. A new folder is held to it without a word here.
@Suite(.engine, .serialized, .timeLimit(.minutes(20)))
struct `Every buildpack` {
    @Test(arguments: folders) func `says in its README what it is, and has an example unless it is an overlay`(_ name: String) throws {
        let pack = try #require(try Buildpack.load(roots: [shippedBuildpacks]).first { $0.folder.hasSuffix("/\(name)") })
        let readme = try String(contentsOf: root.appending(path: "\(name)/README.md"), encoding: .utf8)
        #expect(pack.id == name, "a folder is named as its buildpack")
        #expect(readme.hasPrefix("# \(name)\n"))
        #expect(!pack.summary.isEmpty && !pack.fix.isEmpty)
        if pack.kind != .overlay {
            #expect(examples.contains(name))
            #expect(readme.contains("example/"))
        }
    }

    @Test(arguments: examples) func `is chosen for its example, says why, and plans the same twice`(_ name: String) throws {
        let tree = try example(name)
        let packs = try Buildpack.load(roots: [shippedBuildpacks])
        let plans = try (0..<2).map { _ in try BuildPlan(tree, packs: packs) }
        #expect(plans[0].detection.buildpack.id == name)
        #expect(plans[0].detection.reason.hasPrefix("found "))
        #expect(plans[0].digest == plans[1].digest)
        #expect(plans[0].stages.map(\.key) == plans[1].stages.map(\.key))
        #expect(plans[0].reading == plans[1].reading)
        #expect(plans[0].reading.formation.contains { $0.isWeb })
        // An admin's folder that is read in another order changes nothing.
        let reversed = try Detection.of(Tree(tree), among: packs.reversed().sorted { $0.order < $1.order })
        #expect(reversed == plans[0].detection)
    }

    @Test(arguments: examples) func `builds its example into an image that runs unprivileged and answers`(_ name: String) async throws {
        try await withSettings(for: name) { settings in
            try await withWorkshop({ $0.settings = settings }) { shop in
                let heard = Heard()
                let push = try await shop.push(example(name))
                let built = try await shop.service.build(push.0, source: push.1, log: heard.log)
                #expect(await heard.contains("buildpack \(name): found "))
                let web = try #require(built.formation.first { $0.isWeb })
                try await shop.running(built.reference, web) { container, address in
                    let answer = try await firstAnswer(address, web, shop, container)
                    #expect(answer.status.code < 400)
                    let status = try await shop.podman.podman("exec", container, "cat", "/proc/1/status")
                    #expect(status.contains("CapEff:\t0000000000000000"))
                    let uids = status.split(separator: "\n").first { $0.hasPrefix("Uid:") } ?? ""
                    #expect(!uids.split(separator: "\t").dropFirst().contains("0"), "\(uids)")
                    let me = try await shop.podman.podman("exec", container, "id", "-u").trimmingCharacters(in: .whitespacesAndNewlines)
                    #expect(me == "10001")
                }
                let containers = try await shop.containers()
                #expect(containers == "")
            }
        }
    }
}

/// The platform's settings with servers of the tests' own in place of those the buildpack would fetch from.
private func withSettings(for name: String, _ body: @Sendable ([String: String]) async throws -> Void) async throws {
    let keys = try Buildpack.load(roots: [shippedBuildpacks]).first { $0.id == name }?.settings ?? []
    if keys.contains("julia.url") { return try await JuliaSite.serve { try await body(["julia.url": $0.url]) } }
    if keys.contains("conda.mirrors") { return try await CondaChannel.serve { try await body($0.settings) } }
    try await body([:])
}

/// The files of a buildpack's example.
private func example(_ name: String) throws -> InMemorySourceTree {
    let folder = root.appending(path: "\(name)/example").path
    var files: [String: [UInt8]] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder) where !path.contains("__pycache__") {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: "\(folder)/\(path)", isDirectory: &isFolder), !isFolder.boolValue else {
            continue
        }
        files[path] = Array(FileManager.default.contents(atPath: "\(folder)/\(path)") ?? Data())
    }
    return InMemorySourceTree(bytes: files)
}

/// Asks until it answers as a replica's health check would, within its time.
private func firstAnswer(_ address: String, _ web: ProcessSpec, _ shop: Workshop, _ container: String) async throws -> HTTPClientResponse {
    let deadline = ContinuousClock.now + .seconds(60)
    let request = HTTPClientRequest(url: "http://\(address):\(web.listensOn)\(web.health?.path ?? "/")")
    while true {
        if let answer = try? await HTTPClient.shared.execute(request, timeout: .seconds(10)), answer.status.code < 500 { return answer }
        guard ContinuousClock.now < deadline else {
            let log = try await shop.podman.podman("logs", container)
            throw MoorError(.timedOut, "the example did not answer", detail: [log])
        }
        try await Task.sleep(for: .milliseconds(200))
    }
}

extension Workshop {
    /// Runs the body beside a container of the image's process, started as a replica is.
    func running(
        _ image: String, _ process: ProcessSpec, _ body: (_ container: String, _ address: String) async throws -> Void
    ) async throws {
        var options = [
            "--detach", "--init", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--env", "PORT=\(process.listensOn)",
        ]
        options += ["--env", "HOST=0.0.0.0", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--memory", "1g"]
        if !process.command.isEmpty { options += ["--entrypoint", #"["/bin/sh","-c"]"#] }
        let command = process.command.isEmpty ? [] : [process.command]
        let container = try await podman.podman(arguments: ["run"] + options + [image] + command).trimmingCharacters(in: .newlines)
        let outcome: Result<Void, any Error>
        do {
            let address = try await podman.podman("inspect", container, "--format", "{{.NetworkSettings.IPAddress}}")
            outcome = .success(try await body(container, address.trimmingCharacters(in: .newlines)))
        } catch {
            outcome = .failure(error)
        }
        try await podman.podman("rm", "--force", "--time", "0", container)
        try outcome.get()
    }
}
