import Engine
import Foundation
import Models
import Store
import TestSupport
import Testing

@testable import Builds

@Suite(.engine, .serialized, .timeLimit(.minutes(10)))
struct `Dockerfiles in a real engine` {
    @Test func `an image runs what it says, on the port it exposes, and its layers are used again`() async throws {
        try await withWorkshop { shop in
            let heard = Heard()
            let files = [
                "Dockerfile": """
                FROM localhost/moor-base
                RUN grep -c : /proc/net/dev; ls /sys/class/net | tr '\\n' ' '; echo marker
                COPY app.txt /srv/
                EXPOSE 8050/tcp 53/udp
                CMD ["cat", "/srv/app.txt"]
                """, "app.txt": "one\n",
            ]
            let built = try await shop.build(files, log: heard.log)
            #expect(await heard.contains("buildpack dockerfile: found Dockerfile"))
            #expect(await heard.contains("eth0 lo marker"), "commands are not on the host's network")
            #expect(await heard.contains("the image exposes port 8050: requests go there, and PORT is 8050"))
            #expect(await heard.contains("user is root: its replicas run as user 10001"))
            #expect(built.image.formation == [ProcessSpec(name: "web", command: "", health: HealthCheck(), port: 8050)])
            let printed = try await shop.run(built.image.reference)
            #expect(printed == "one\n")
            let image = try #require(try await shop.engine.image(built.image.reference))
            #expect(image.labels["moor.build"] == "\(built.buildID)")

            let again = Heard()
            let second = try await shop.build(files.merging(["app.txt": "two\n"]) { $1 }, log: again.log)
            let lines = await again.lines
            #expect(!lines.contains { $0.contains("lo marker") }, "the unchanged step is not run again")
            let now = try await shop.run(second.image.reference)
            #expect(now == "two\n")

            let third = Heard()
            _ = try await shop.build(files.merging(["app.txt": "two\n"]) { $1 }, log: third.log)
            #expect(await third.contains("the same tree was built before"))
        }
    }

    @Test(arguments: [
        ("FROM localhost/moor-base\nRUN true\nRUN echo oh; exit 3\n", "Dockerfile: step 3 (RUN echo oh; exit 3) failed with exit code 3"),
        ("FROM localhost/moor-base\nRNU true\n", "Dockerfile: step 2 (RNU true) begins with \"RNU\", which is no instruction"),
        ("FROM localhost/moor-base\n", "the image says nothing that could be run: Dockerfile has no CMD and no ENTRYPOINT"),
    ])
    func `what is wrong is told with its step`(_ dockerfile: String, _ message: String) async throws {
        try await withWorkshop { shop in
            let (push, tree) = try await shop.push(["Dockerfile": dockerfile])
            let error = await #expect(throws: MoorError.self) { try await shop.service.build(push, source: tree, log: .discard) }
            #expect(error?.code == .appFailed)
            #expect(error?.message == message)
            let left = try await shop.podman.podman("ps", "--all", "--external", "--format", "{{.Names}}")
            #expect(left == "")
        }
    }

    @Test func `a Procfile's commands win over the image's own`() async throws {
        try await withWorkshop { shop in
            let built = try await shop.build([
                "Dockerfile": "FROM localhost/moor-base\nCMD true\n", "Procfile": "web: python3 -m http.server $PORT\nworker: sleep 1\n",
            ])
            #expect(built.image.formation.map(\.command) == ["python3 -m http.server $PORT", "sleep 1"])
            #expect(built.image.formation[0].port == nil)
        }
    }

    @Test(arguments: [false, true]) func `a build that is cancelled or takes too long leaves nothing running`(_ isCancelled: Bool)
        async throws
    {
        try await withWorkshop(limits: .init(wallSeconds: isCancelled ? 300 : 20)) { shop in
            let heard = Heard()
            // The next step would begin where the first one's end were all that a cancellation brings.
            let (push, tree) = try await shop.push([
                "Dockerfile": "FROM localhost/moor-base\nRUN echo begun; sleep 3217\nRUN sleep 3218\nCMD true\n"
            ])
            let task = Task {
                let error = await #expect(throws: MoorError.self) {
                    try await shop.service.build(push, source: tree, log: heard.log)
                }
                await heard.end()
                return error
            }
            await heard.wait(for: "  begun")
            let group = BuildControlGroup.all(platformID: shop.platformID)
            #expect(group.count == 1)
            #expect(group.first?.processes.isEmpty == false)
            if isCancelled { task.cancel() }
            let error = await task.value
            #expect(error?.code == (isCancelled ? .cancelled : .timedOut))
            #expect(group.first?.processes.isEmpty == true)
            #expect(BuildControlGroup.all(platformID: shop.platformID).isEmpty)
            let left = try await shop.podman.podman("ps", "--all", "--external", "--format", "{{.Names}}")
            #expect(left == "")
            let states = try await shop.states().map(\.state)
            #expect(states == [isCancelled ? .cancelled : .failed])
        }
    }
}

struct `Dockerfiles as planned` {
    @Test func `a Dockerfile is asked first, and moor.yaml may say otherwise`() throws {
        let files = ["Dockerfile": "FROM x", "requirements.txt": "six", "Procfile": "web: x"]
        let planned = try plan(files)
        #expect(planned.detection.buildpack.id == "dockerfile")
        #expect(planned.notes.contains { $0.contains("requirements.txt would do for buildpack pip") })
        let other = try plan(files.merging(["moor.yaml": "build: { buildpack: pip }"]) { $1 })
        #expect(other.detection.buildpack.id == "pip")
        #expect(try plan(["Containerfile": "FROM x"]).reading.formation == [ProcessSpec(name: "web", command: "", health: HealthCheck())])
    }

    @Test func `a formation that was kept before there were ports still decodes`() throws {
        let old = #"[{"name":"web","command":"x","replicas":1,"resources":{"cpuMillis":1,"memoryBytes":1,"pids":1}}]"#
        let formation = try JSONDecoder().decode(Formation.self, from: Data(old.utf8))
        #expect(formation[0].port == nil && formation[0].listensOn == webPort)
        let new = try JSONEncoder().encode([ProcessSpec(name: "web", command: "", port: 80)])
        #expect(try JSONDecoder().decode(Formation.self, from: new)[0].listensOn == 80)
    }
}
