import Builds
import Engine
import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

private let tiny = [
    "requirements.txt": "six==1.17.0\n", "Procfile": "web: python app.py", "app.py": "import six\nprint('one')\n", "a/b.txt": "x",
]

@Suite(.engine, .serialized, .timeLimit(.minutes(10)))
struct `Builds in a real engine` {
    @Test func `a pushed tree becomes an image that runs as an unprivileged user`() async throws {
        try await withWorkshop { shop in
            let heard = Heard()
            let built = try await shop.build(tiny, log: heard.log)
            #expect(await heard.contains("buildpack pip: found requirements.txt"))
            #expect(await heard.contains("+ six==1.17.0"))
            #expect(built.image.formation == [ProcessSpec(name: "web", command: "python app.py", health: HealthCheck())])
            let reference = "localhost/moor-\(shop.platformID)/sales:\(built.buildID)"
            #expect(built.image.reference == reference)
            let said = try await shop.run(
                reference, "sh", "-c",
                "id -u; pwd; python app.py; stat -c '%u %n' /app /app/app.py /app/a /app/a/b.txt; ls /opt/venv/lib/python3*/site-packages/__pycache__"
            )
            #expect(said.contains("10001\n/app\none\n10001 /app\n10001 /app/app.py\n10001 /app/a\n10001 /app/a/b.txt\n"))
            #expect(said.contains("six.cpython"), "packages are compiled when they are installed")
            let left = try await shop.run(
                reference, "sh", "-c",
                "ls /var/lib/apt/lists /usr/share/doc /usr/share/man /usr/share/locale 2>/dev/null | grep -v : | tr -d '\\n'"
            )
            #expect(left == "", "the base has no package lists, documentation or translations")
            let image = try #require(try await shop.engine.image(reference))
            #expect(image.id == built.image.digest)
            #expect(image.labels["moor.platform"] == shop.platformID)
            #expect(image.labels["moor.build"] == "\(built.buildID)")
            let described = try await shop.podman.podman("image", "inspect", reference)
            #expect(!described.contains("SSL_CERT_FILE"), "what only builds need stays out of the image")
            let seen1 = try await shop.states().map(\.state)
            #expect(seen1 == [.succeeded])
            let seen2 = try await shop.containers()
            #expect(seen2 == "")
            let log = try await shop.service.log(of: built.buildID)
            #expect(log.contains("found requirements.txt") && log.contains("+ six==1.17.0"))
        }
    }

    @Test func `a second push with the same packages installs nothing, and the same tree builds nothing`() async throws {
        try await withWorkshop { shop in
            let first = try await shop.build(tiny)
            var changed = tiny
            changed["app.py"] = "print('two')\n"
            let heard = Heard()
            let second = try await shop.build(changed, log: heard.log)
            #expect(await heard.contains("packages are unchanged"))
            #expect(await !heard.contains("six"))
            #expect(second.image.digest != first.image.digest)
            let said = try await shop.run(second.image.reference, "python", "app.py")
            #expect(said == "two\n")

            let again = Heard()
            let third = try await shop.build(changed, log: again.log)
            #expect(await again.contains("the same tree was built before"))
            #expect(third.image.digest == second.image.digest)
            #expect(third.image.imageID != second.image.imageID)

            try await shop.service.removeImages([second.image.imageID])
            let seen3 = try await shop.engine.image(third.image.reference)
            #expect(seen3 != nil, "the third build's row still needs it")
            try await shop.service.removeImages([third.image.imageID, first.image.imageID])
            let seen4 = try await shop.engine.image(third.image.reference)
            #expect(seen4 == nil)
            let seen5 = try await shop.engine.image(first.image.reference)
            #expect(seen5 == nil)
        }
    }

    @Test func `a changed dependency changes the packages of the layer before, and leaves nothing that is no longer asked for`()
        async throws
    {
        try await withWorkshop { shop in
            var tree = tiny.merging(["requirements.txt": "six==1.17.0\nidna==3.10\n-r more.txt\n", "more.txt": "toolz==0.12.1\n"]) { $1 }
            _ = try await shop.build(tree)
            tree["requirements.txt"] = "six==1.16.0\nidna\n"
            tree["more.txt"] = nil
            let heard = Heard()
            let second = try await shop.build(tree, log: heard.log)
            let lines = await heard.lines.map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(lines.contains("- six==1.17.0") && lines.contains("+ six==1.16.0") && lines.contains("- toolz==0.12.1"))
            // No longer pinned, and looked for anew: an earlier layer must not decide the version.
            #expect(lines.contains("- idna==3.10") && lines.contains { $0.hasPrefix("+ idna==") })
            let listed = try await shop.run(second.image.reference, "python", "-c", "import six; print(six.__version__)")
            #expect(listed == "1.16.0\n")
            let gone = try await shop.run(
                second.image.reference, "python", "-c",
                "import importlib.util, os; print(importlib.util.find_spec('toolz'), sorted(os.listdir('/app')))")
            #expect(gone == "None ['Procfile', 'a', 'app.py', 'requirements.txt']\n")
        }
    }

    @Test func `a requirement that cannot be had is named by its line`() async throws {
        try await withWorkshop { shop in
            let error = try #require(await failure { try await shop.build(tiny.merging(["requirements.txt": "six\n\npandsa\n"]) { $1 }) })
            #expect(error.code == .appFailed)
            #expect(error.message == "requirements.txt line 3: no version of pandsa was found. Did you mean pandas?")
            #expect(error.detail.contains { $0.contains("pandsa was not found in the package registry") })
            let row = try #require(try await shop.states().first)
            #expect(row.state == .failed)
            #expect(row.failure == error.message)
            let seen6 = try await shop.containers()
            #expect(seen6 == "")
        }
    }

    @Test func `a package of the repository is installed with the dependencies`() async throws {
        try await withWorkshop { shop in
            let files = [
                "requirements.txt": "-r base.txt\n./pkg\n", "base.txt": "six\n",
                "pkg/pyproject.toml": "[project]\nname = 'mine'\nversion = '1'\n",
                "pkg/mine.py": "x = 7\n", "Procfile": "web: x",
            ]
            let built = try await shop.build(files)
            let said = try await shop.run(built.image.reference, "python", "-c", "import mine, six; print(mine.x)")
            #expect(said == "7\n")
        }
    }

    @Test func `a project with a build system is installed itself`() async throws {
        try await withWorkshop { shop in
            let files = [
                "pyproject.toml":
                    "[project]\nname = 'mine'\nversion = '1'\ndependencies = ['six']\n[build-system]\nrequires = ['setuptools']\n",
                "src/mine/__init__.py": "x = 8\n", "Procfile": "web: x",
            ]
            let built = try await shop.build(files)
            let said = try await shop.run(
                built.image.reference, "sh", "-c", "cd /; python -c 'import mine, six; print(mine.x)'")
            #expect(said == "8\n")
        }
    }

    @Test func `cancelling a push ends its build and leaves no container`() async throws {
        try await withWorkshop(script: "echo begun; sleep 300") { shop in
            let heard = Heard()
            let (push, tree) = try await shop.push(["script.txt": "", "Procfile": "web: x"])
            let task = Task {
                let result = await failure { try await shop.service.build(push, source: tree, log: heard.log) }
                await heard.end()
                return result
            }
            await heard.wait(for: "begun")
            task.cancel()
            let error = await task.value
            #expect(error?.code == .cancelled)
            let seen7 = try await shop.containers()
            #expect(seen7 == "")
            let seen8 = try await shop.states().map(\.state)
            #expect(seen8 == [.cancelled])
        }
    }

    @Test func `a build that waits for a base image in the making can be cancelled`() async throws {
        // A server that takes the connection and never answers: the base image's making goes on until it is closed.
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let path = "/tmp/moor-base-\(getpid()).sock"
        // Only reads the path.
        unsafe unlink(path)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The path is shorter than the field, which is zero elsewhere.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(server, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(server, 8) == 0)
        try await withWorkshop(socketPath: path) { shop in
            let heard = Heard()
            let first = Task { await failure { try await shop.service.ensureBaseImage(progress: .discard) } }
            let (push, tree) = try await shop.push(tiny)
            let build = Task { await failure { try await shop.service.build(push, source: tree, log: heard.log) } }
            await heard.wait(for: "buildpack pip")
            build.cancel()
            let error = await build.value
            #expect(error?.code == .cancelled)
            let states = try await shop.states().map(\.state)
            #expect(states == [.cancelled])
            close(server)
            unsafe unlink(path)
            _ = await first.value
        }
    }

    @Test func `a build that takes too long is ended`() async throws {
        try await withWorkshop(script: "sleep 300", limits: .init(wallSeconds: 2)) { shop in
            let error = await failure { try await shop.build(["script.txt": "", "Procfile": "web: x"]) }
            #expect(error?.code == .timedOut)
            let seen9 = try await shop.containers()
            #expect(seen9 == "")
            let seen10 = try await shop.states().map(\.state)
            #expect(seen10 == [.failed])
        }
    }

    @Test func `the limits of a build hold`() async throws {
        let script =
            "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; "
            + "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null; grep CapEff /proc/self/status; "
            + "python3 -c 'x = bytearray(400 << 20)'"
        try await withWorkshop(script: script, limits: .init(cpuMillis: 1500, memoryBytes: 200 << 20)) { shop in
            let heard = Heard()
            let error = await failure { try await shop.build(["script.txt": "", "Procfile": "web: x"], log: heard.log) }
            #expect(error?.code == .appFailed)
            #expect(error?.message == "the build ran out of its 200 MiB of memory")
            #expect(await heard.contains("\(200 << 20)"))
            #expect(await heard.contains("150000"))
        }
    }

    @Test func `an engine that is down refuses the build and closes its row`() async throws {
        try await withWorkshop(socketPath: "/nonexistent/engine.sock") { shop in
            let error = await failure { try await shop.build(tiny) }
            #expect(error?.code == .unavailable)
            let seen11 = try await shop.states().map(\.state)
            #expect(seen11 == [.failed])
        }
    }

    @Test func `an engine that dies in the middle of a build refuses it, and builds again once it is back`() async throws {
        // An engine of its own: it is killed.
        try await withPodman { podman in
            try await EngineSuite.$engine.withValue(podman) {
                try await withWorkshop(script: "echo begun; sleep 300") { shop in
                    let heard = Heard()
                    let (push, tree) = try await shop.push(["script.txt": "", "Procfile": "web: x"])
                    let task = Task {
                        let result = await failure { try await shop.service.build(push, source: tree, log: heard.log) }
                        await heard.end()
                        return result
                    }
                    await heard.wait(for: "begun")
                    kill(podman.processID, SIGKILL)
                    let error = await task.value
                    #expect(error?.code == .unavailable)
                    let states = try await shop.states().map(\.state)
                    #expect(states == [.failed])

                    try await podman.serve { _ in
                        try await shop.service.resume()
                        let containers = try await shop.containers()
                        #expect(containers == "")
                        let built = try await shop.build(tiny)
                        #expect(built.image.formation.count == 1)
                    }
                }
            }
        }
    }

    @Test func `what a crash left is removed at the next start`() async throws {
        try await withWorkshop { shop in
            let kept = try await shop.build(tiny)
            let unreleased = try await shop.build(tiny.merging(["app.py": "2"]) { $1 })
            try await shop.store.write { db in
                var release = ReleaseRecord(
                    appID: shop.app.id!, number: 1, imageID: kept.image.imageID, sealedConfig: Data(), formation: kept.image.formation,
                    cause: .push, description: "", state: .live, createdAt: now())
                try release.insert(db)
            }
            _ = try await shop.push(tiny)
            try await shop.store.write { db in
                var open = BuildRecord(pushID: PushID(3), treeID: "x", state: .running, startedAt: now())
                try open.insert(db)
            }
            let root = "localhost/moor-\(shop.platformID)/sales"
            try await shop.podman.podman("create", "--name", "moor-\(shop.platformID)-build-3-packages", kept.image.reference, "true")
            try await shop.podman.podman("tag", kept.image.reference, "\(root):99")

            try await shop.service.resume()

            let seen12 = try await shop.states().map(\.state)
            #expect(seen12 == [.cancelled, .succeeded, .succeeded])
            let seen13 = try await shop.containers()
            #expect(seen13 == "")
            let seen14 = try await shop.engine.image("\(root):99")
            #expect(seen14 == nil)
            let seen15 = try await shop.engine.image(unreleased.image.reference)
            #expect(seen15 == nil)
            let seen16 = try await shop.engine.image(kept.image.reference)
            #expect(seen16 != nil)
            let seen17 = try await shop.store.read { try ImageRecord.fetchCount($0) }
            #expect(seen17 == 1)
        }
    }
}

/// The error that the body throws.
func failure(_ body: () async throws -> some Any) async -> MoorError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? MoorError
    }
}
