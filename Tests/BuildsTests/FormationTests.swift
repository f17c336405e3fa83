import Foundation
import Models
import TestSupport
import Testing

@testable import Builds

private func formation(_ files: [String: String]) throws -> Formation { try reading(InMemorySourceTree(files)).formation }

private func reading(_ source: InMemorySourceTree) throws -> FormationReading {
    let tree = try Tree(source)
    let pip = try #require(Buildpack.load(roots: [shippedBuildpacks]).first { $0.id == "pip" })
    return try FormationReading(tree, spec: tree.has(AppSpec.file) ? AppSpec(tree.text(AppSpec.file)) : nil, pack: pip)
}

struct `Processes` {
    @Test(arguments: [
        ("web: gunicorn app:server\n", ["web": "gunicorn app:server"]),
        ("\u{FEFF}web: a\r\nworker: b\r\n", ["web": "a", "worker": "b"]),
        ("# comment\n\n  web:   a b  \nclock-1:c:d", ["web": "a b", "clock-1": "c:d"]),
        ("web: a\nrelease: ./migrate", ["web": "a", "release": "./migrate"]),
    ])
    func `a Procfile names processes`(_ text: String, _ expected: [String: String]) throws {
        let formation = try formation(["Procfile": text])
        #expect(Dictionary(uniqueKeysWithValues: formation.map { ($0.name, $0.command) }) == expected)
        #expect(formation.allSatisfy { ($0.health != nil) == $0.isWeb })
    }

    @Test(arguments: [
        ("web gunicorn\n", "Procfile line 1 has no colon after a process name: “web gunicorn”"),
        ("web: a\n\nmy worker: b\n", "Procfile line 3 does not begin with a process name: “my worker: b”"),
        ("web:\n", "Procfile line 1 gives no command for “web”"),
        ("web: a\nweb: b\n", "Procfile line 2 names “web” again; line 1 did before"),
        ("# nothing\n", "the Procfile names no process"),
        ("-x: a", "Procfile line 1 does not begin with a process name: “-x: a”"),
    ])
    func `a Procfile line that does not parse is named`(_ text: String, _ message: String) throws {
        let error = try #require(throws: MoorError.self) { try formation(["Procfile": text]) }
        #expect(error.message == message)
        #expect(error.hint != nil)
    }

    @Test func `a Procfile that is no text is refused`() throws {
        let tree = InMemorySourceTree(bytes: ["Procfile": [0x77, 0xFF, 0x00]])
        #expect(throws: MoorError(.appFailed, "Procfile is not a text file in UTF-8", hint: "save Procfile as UTF-8")) {
            _ = try reading(tree)
        }
    }

    @Test(arguments: [
        ("app.py", dash, "gunicorn app:server --bind 0.0.0.0:$PORT --threads 8"),
        (
            "index.py", "from dash import Dash\nmy = Dash()\napplication: object = my.server  # x\n",
            "gunicorn index:application --bind 0.0.0.0:$PORT --threads 8"
        ),
        (
            "main.py", "import streamlit as st",
            "streamlit run main.py --server.address 0.0.0.0 --server.port $PORT --server.headless true --browser.gatherUsageStats false"
        ),
        (
            "app.py", "import gradio as gr\ndemo = gr.Interface()\ndemo.launch()",
            "GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=$PORT python app.py"
        ),
        ("app.py", "from flask import Flask\napi = Flask(__name__)", "gunicorn app:api --bind 0.0.0.0:$PORT --threads 8"),
        (
            "main.py", "from fastapi import FastAPI\napp = FastAPI()",
            "uvicorn main:app --host 0.0.0.0 --port $PORT --proxy-headers --forwarded-allow-ips '*'"
        ),
    ])
    func `a web process is recognised by what the app imports`(_ file: String, _ text: String, _ command: String) throws {
        let formation = try formation([file: text])
        #expect(formation.map(\.name) == ["web"])
        #expect(formation[0].command == command)
        #expect(formation[0].health != nil)
    }

    @Test func `a release command alone still gets a recognised web process`() throws {
        #expect(try formation(["Procfile": "release: x", "app.py": dash]).map(\.name) == ["web", "release"])
    }

    @Test func `workers alone need no web process`() throws {
        #expect(try formation(["Procfile": "worker: x", "app.py": dash]).map(\.name) == ["worker"])
    }

    @Test func `a Dash app without a server line is told the line`() throws {
        let error = try #require(throws: MoorError.self) { try formation(["app.py": "from dash import Dash\napp = Dash()\n"]) }
        #expect(error.hint?.contains("server = app.server") == true)
    }

    @Test(arguments: [
        ("import streamlit", "/_stcore/health", true), ("import marimo\napp = marimo.App()", "/health", true),
        ("import panel", "/", true), ("import flask\napp = flask.Flask('x')", "/", false),
    ])
    func `a framework brings its health path, and whether a viewer stays with one replica`(
        _ text: String, _ path: String, _ sticky: Bool
    ) throws {
        let web = try #require(try formation(["app.py": text, "Procfile": "release: x"]).first)
        #expect(web.health?.path == path)
        #expect(web.sticky == sticky)
        let yaml = try formation(["app.py": text, "moor.yaml": "health: { path: /mine }\nprocesses: { web: { replicas: 2 } }"])
        #expect(yaml.map(\.health?.path) == ["/mine"])
    }

    @Test func `formations from before there was a sticky are read`() throws {
        let old =
            #"[{"name":"web","command":"x","replicas":2,"resources":{"cpuMillis":1,"memoryBytes":2,"pids":3},"health":{"path":"/","timeoutSeconds":60}}]"#
        let read = try JSONDecoder().decode(Formation.self, from: Data(old.utf8))
        #expect(read.map(\.sticky) == [false])
        let sticky = [ProcessSpec(name: "web", command: "x", sticky: true), ProcessSpec(name: "worker", command: "y")]
        #expect(try JSONDecoder().decode(Formation.self, from: JSONEncoder().encode(sticky)) == sticky)
    }

    @Test(
        arguments: [
            (#"{"scripts": {"postdeploy": "a; b"}}"#, "web: x", "a; b"),
            (#"{"scripts": {"postdeploy": {"command": "a", "size": "S"}}}"#, "web: x", "a"),
            (#"{"scripts": {"dokku": {"postdeploy": "a"}, "postdeploy": "b"}}"#, "web: x\nrelease: r || s", "( r || s ) && ( a )"),
            (#"{"scripts": {"postdeploy": ""}, "addons": ["redis"]}"#, "web: x\nrelease: r", "r"),
            (#"{"name": "x"}"#, "web: x", nil),
        ] as [(String, String, String?)])
    func `what app.json wants run after the build runs as, or after, the release command`(
        _ json: String, _ procfile: String, _ command: String?
    ) throws {
        let formation = try formation(["Procfile": procfile, "app.json": json])
        #expect(formation.first(where: \.isReleaseCommand)?.command == command)
    }

    @Test func `an earlier root's frameworks come first, and take the place of those of their name`() async throws {
        try await withScratchFolder { root in
            let table = """
                files: [app.py]
                frameworks:
                  - { name: Dash, language: python, imports: [dash], command: "ours {file}", packages: [ours], health: /up }
                """
            try Data(table.utf8).write(to: root.appending(path: "frameworks.yaml"))
            let packs = try Buildpack.load(roots: [root.path, shippedBuildpacks])
            let plan = try BuildPlan(InMemorySourceTree(["requirements.txt": "dash", "app.py": "import dash"]), packs: packs)
            #expect(plan.reading.formation.map(\.command) == ["ours app.py"])
            #expect(plan.values["install"]?.hasSuffix(" ours") == true)
            try Data("frameworks: {".utf8).write(to: root.appending(path: "frameworks.yaml"))
            let error = try #require(throws: MoorError.self) { try Buildpack.load(roots: [root.path, shippedBuildpacks]) }
            #expect(error.code == .unavailable)
            #expect(error.message == "\(root.path)/frameworks.yaml cannot be read")
        }
    }

    @Test func `nothing to start is told what was looked for`() throws {
        let error = try #require(throws: MoorError.self) { try formation(["thing.py": "import dashing", "app.py": "import dashing"]) }
        #expect(error.message.contains("no Procfile"))
        #expect(error.hint?.contains("web: gunicorn") == true)
    }
}

struct `moor.yaml` {
    @Test func `it sets what the Procfile cannot`() throws {
        let formation = try formation([
            "Procfile": "web: a\nclock: b",
            "moor.yaml": """
            processes:
              web:
                replicas: 2
                resources: { cpu: 500m, memory: 512Mi, gpu: 0 }
              worker: { command: celery -A x worker, resources: { memory: 1.5Gi, cpu: 2, pids: 64, disk: 2Gi } }
            health: { path: /healthz, timeout: 2m }
            """,
        ])
        #expect(
            formation == [
                ProcessSpec(
                    name: "web", command: "a", replicas: 2, resources: Resources(cpuMillis: 500, memoryBytes: 512 << 20),
                    health: HealthCheck(path: "/healthz", timeoutSeconds: 120), declared: [.cpu, .memory, .gpu]),
                ProcessSpec(name: "clock", command: "b"),
                ProcessSpec(
                    name: "worker", command: "celery -A x worker",
                    resources: Resources(cpuMillis: 2000, memoryBytes: 1536 << 20, pids: 64, diskBytes: 2 << 30),
                    declared: [.cpu, .memory, .pids, .disk]),
            ])
    }

    @Test(arguments: [
        (
            Ceiling(scope: .replica, name: nil, quota: Quota(memoryBytes: 1 << 30)),
            "moor.yaml line 5: processes.web.resources.memory is 4 GiB; the ceiling of one replica is 1 GiB", "--replica"
        ),
        (
            Ceiling(scope: .app, name: "sales", quota: Quota(replicas: 2)),
            "moor.yaml line 3: processes.web.replicas is 3; the ceiling of sales is 2", "--app sales"
        ),
        (
            Ceiling(scope: .user, name: "ada", quota: Quota(cpuMillis: 500)),
            "moor.yaml line 6: processes.web.resources.cpu is 2 cores; the ceiling of the apps of ada together is 0.5 cores", "--user ada"
        ),
    ])
    func `what is above a ceiling is named with its line`(ceiling: Ceiling, message: String, flag: String) throws {
        let spec = try AppSpec("processes:\n  web:\n    replicas: 3\n    resources:\n      memory: 4Gi\n      cpu: 2\n")
        let error = #expect(throws: MoorError.self) { try spec.check([ceiling]) }
        #expect(error?.message == message && error?.code == .appFailed)
        #expect(error?.hint?.hasSuffix("(moor quota set \(flag))") == true)
        let roomy = Quota(cpuMillis: 2000, memoryBytes: 4 << 30, replicas: 3)
        try spec.check([Ceiling(scope: .app, name: "sales", quota: roomy)])
    }

    @Test func `each process is looked at as it says`() throws {
        let formation = try formation([
            "Procfile": "web: a\nworker: b\nclock: c",
            "moor.yaml": """
            health: { path: /up, interval: 2s, failures: 5, restart_after: never }
            processes:
              web: { health: { tcp: true, timeout: 3m } }
              worker: { health: { command: celery inspect ping, restart_after: 90 } }
            """,
        ])
        #expect(
            formation.map(\.health) == [
                HealthCheck(
                    path: "/up", timeoutSeconds: 180, probe: .tcp, intervalSeconds: 2, failureThreshold: 5, restartAfterSeconds: 0),
                HealthCheck(probe: .command("celery inspect ping"), restartAfterSeconds: 90), nil,
            ])
    }

    @Test func `it says how replicas are replaced and how long they may finish`() throws {
        let formation = try formation([
            "Procfile": "web: a\nworker: b\nclock: c",
            "moor.yaml": """
            processes:
              web: { rollout: { max_surge: 25%, max_unavailable: 1 } }
              clock: { rollout: { strategy: recreate } }
            drain: { requests: 90s, websockets: 4h }
            """,
        ])
        #expect(
            formation.map(\.rollout) == [
                RolloutStrategy(maxSurge: .percent(25), maxUnavailable: .count(1)), nil, RolloutStrategy(kind: .recreate),
            ])
        #expect(formation.map(\.drain) == [DrainTimes(requestSeconds: 90, webSocketSeconds: 14_400), nil, nil])
        // Releases keep what they were made with.
        #expect(try JSONDecoder().decode(Formation.self, from: JSONEncoder().encode(formation)) == formation)
    }

    @Test(arguments: [
        (
            "processes:\n  web:\n    rollout:\n      max_surge: 0%\n",
            "moor.yaml line 4: processes.web.rollout lets nothing ever change: max_surge and max_unavailable cannot both be 0"
        ),
        (
            "processes:\n  web:\n    rollout: { max_unavailable: 101% }\n",
            "moor.yaml line 3: processes.web.rollout.max_unavailable expects a number of replicas or a share of them, from 0 to 100, such as 1 or 25%, not “101%”"
        ),
        (
            "processes:\n  web:\n    rollout: { strategy: recreate, max_surge: 1 }\n",
            "moor.yaml line 3: processes.web.rollout has strategy recreate, which ends every replica first: leave out max_surge and max_unavailable"
        ),
        ("drain: { websockets: 25h }\n", "moor.yaml line 1: drain.websockets expects a time of at most a day, such as 4h, not “25h”"),
        (
            "processes:\n  web:\n    replica: 2\n",
            "moor.yaml line 3: processes.web.replica is not a key that is known here; known are command, replicas, resources, health, rollout, autoscale"
        ),
        ("process:\n  web: {}\n", "moor.yaml line 1: process is not a key that is known here; known are build, processes, health, drain"),
        (
            "processes:\n  web:\n    replicas: many\n",
            "moor.yaml line 3: processes.web.replicas expects a whole number from 0 to 100, not “many”"
        ),
        (
            "processes:\n  web:\n    replicas: 101\n",
            "moor.yaml line 3: processes.web.replicas expects a whole number from 0 to 100, not “101”"
        ),
        (
            "processes:\n  web:\n    resources:\n      memory: 512MB\n",
            "moor.yaml line 4: processes.web.resources.memory expects at least 6Mi, such as 512Mi or 1Gi, not “512MB”"
        ),
        (
            "processes:\n  web:\n    resources:\n      cpu: -1\n",
            "moor.yaml line 4: processes.web.resources.cpu expects cores such as 500m or 2, not “-1”"
        ),
        (
            "processes:\n  web:\n    resources:\n      gpu: all\n",
            "moor.yaml line 4: processes.web.resources.gpu expects a number of GPUs from 0 to 16, or optional, not “all”"
        ),
        ("processes:\n  web:\n    command: [a, b]\n", "moor.yaml line 3: processes.web.command expects a command"),
        ("processes: web\n", "moor.yaml line 1: processes expects names with a colon"),
        ("- a\n", "moor.yaml line 1: the file expects keys: build, processes, health, drain"),
        ("processes:\n  other: { replicas: 2 }\n", "moor.yaml line 2: processes.other has no command"),
        (
            "processes:\n  my web: { replicas: 2 }\n",
            "moor.yaml line 2: processes.my web is not a process name: use at most 32 letters, digits, - and _"
        ),
        ("health: { path: /, tcp: true }\n", "moor.yaml line 1: health has more than one of path, tcp and command"),
        ("health:\n  failures: 0\n", "moor.yaml line 2: health.failures expects a whole number from 1 to 100, not “0”"),
        (
            "health:\n  restart_after: soon\n",
            "moor.yaml line 2: health.restart_after expects a time of at most an hour, such as 60s, or never, not “soon”"
        ),
        (
            "processes:\n  w:\n    command: x\n    health: { path: /up }\n",
            "moor.yaml line 4: w takes no requests, so it has no path to be asked on"
        ),
        ("health: { path: healthz }\n", "moor.yaml line 1: health.path expects a path that begins with /, such as /healthz"),
        ("health:\n  timeout: 2h\n", "moor.yaml line 2: health.timeout expects a time of at most an hour, such as 60s, not “2h”"),
        (
            "processes:\n  web: { autoscale: { min: 1 } }\n",
            "moor.yaml line 2: processes.web.autoscale is not supported by this platform yet: set replicas instead"
        ),
    ])
    func `what is wrong is named by file, line and key`(_ text: String, _ message: String) throws {
        let error = try #require(throws: MoorError.self) { try formation(["Procfile": "web: x", "moor.yaml": text]) }
        #expect(error.message == message)
    }

    @Test(arguments: ["processes: [\n", "a: b: c\n", "health: {path: /}\nhealth: {path: /}\n"])
    func `what is no YAML is named by its line`(_ text: String) throws {
        let error = try #require(throws: MoorError.self) { try formation(["Procfile": "web: x", "moor.yaml": text]) }
        #expect(error.message.hasPrefix("moor.yaml line "))
    }

    @Test func `an empty file says nothing`() throws {
        #expect(try formation(["Procfile": "web: x", "moor.yaml": "# later\n"]).count == 1)
    }
}
