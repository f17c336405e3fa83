import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Builds

/// An environment.yml, and what the app sees of it.
private func app(_ environment: String, _ more: [String: String] = [:]) -> [String: String] {
    ["environment.yml": environment, "Procfile": "web: python app.py"].merging(more) { $1 }
}

@Suite(.engine, .serialized, .timeLimit(.minutes(15)))
struct `Conda environments in a real engine` {
    @Test func `a solved environment has its channel's packages and pip's beside them, compiled, and is made once`() async throws {
        try await CondaChannel.serve { channel in
            try await withWorkshop({ $0.settings = channel.settings }) { shop in
                let heard = Heard()
                let files = app(
                    """
                    name: harbour
                    prefix: /home/ada/miniconda3/envs/harbour
                    channels: [conda-forge, nodefaults]
                    dependencies:
                      - python=3.11
                      - harbour
                      - pip:
                          - six==1.17.0
                          - ./mine
                    """,
                    ["mine/pyproject.toml": "[project]\nname = 'mine'\nversion = '1'\n", "mine/mine.py": "x = 7\n", "app.py": "1"])
                let built = try await shop.build(files, log: heard.log)
                #expect(await heard.contains("buildpack conda: found environment.yml"))
                #expect(await heard.contains("prefix is of another machine and not used"))
                #expect(await heard.contains("+ tides=1.0"), "the solver takes what harbour can be with, not the newest")
                #expect(await heard.contains("+ six==1.17.0"))
                let said = try await shop.run(
                    built.image.reference, "sh", "-c",
                    "id -u; python -c 'import harbour, tides, six, mine, sys; print(tides.version, mine.x, sys.prefix)'; "
                        + "ls /opt/conda/lib/python3.11/site-packages/__pycache__")
                #expect(said.hasPrefix("10001\n1.0 7 /opt/conda\n"))
                #expect(said.contains("harbour.cpython-311.pyc"))
                let kept = try #require(try await shop.store.read { db in try InventoryRecord.fetchOne(db) })
                let packages = try JSONDecoder().decode([InstalledPackage].self, from: Data(Deflated.inflate(kept.document)))
                #expect(packages.contains { $0.kind == .conda && $0.name == "tides" && $0.version == "1.0" }, "moor sbom tells it")

                let again = Heard()
                _ = try await shop.build(files.merging(["app.py": "2"]) { $1 }, log: again.log)
                #expect(await again.contains("packages are unchanged"))
                #expect(await !again.contains("tides"))
            }
        }
    }

    @Test func `a lock file's packages are installed as they are`() async throws {
        try await CondaChannel.serve { channel in
            try await withWorkshop({ $0.settings = channel.settings }) { shop in
                let lock = try CondaChannel.lock("https://conda.anaconda.org/conda-forge")
                let heard = Heard()
                let built = try await shop.build(["conda-lock.yml": lock, "Procfile": "web: x", "environment.yml": "a: ["], log: heard.log)
                #expect(await heard.contains("buildpack conda: found conda-lock.yml"))
                let said = try await shop.run(built.image.reference, "python", "-c", "import tides; print(tides.version)")
                #expect(said == "1.0\n")

                let other = lock.replacingOccurrences(of: "platform: linux-64", with: "platform: osx-arm64")
                let error = await refused { try await shop.build(["conda-lock.yml": other, "Procfile": "web: x"]) }
                #expect(error?.message == "conda-lock.yml locks osx-arm64, and apps run on linux-64")
            }
        }
    }

    @Test func `conda-requirements.txt and requirements.txt make one environment, as in Dash Enterprise 4`() async throws {
        try await CondaChannel.serve { channel in
            try await withWorkshop({ $0.settings = channel.settings }) { shop in
                let heard = Heard()
                let built = try await shop.build(
                    ["conda-requirements.txt": "python=3.11\ntides=2\n", "requirements.txt": "six\n", "Procfile": "web: x"], log: heard.log)
                #expect(await heard.contains("buildpack conda: found conda-requirements.txt"))
                let said = try await shop.run(built.image.reference, "python", "-c", "import tides, six; print(tides.version)")
                #expect(said == "2.0\n")
            }
        }
    }

    @Test func `what cannot be solved is explained by file and line`() async throws {
        try await CondaChannel.serve { channel in
            try await withWorkshop({ $0.settings = channel.settings }) { shop in
                let cases: [(String, String, String?)] = [
                    (
                        "dependencies:\n  - python\n  - flaks>=1\n",
                        "environment.yml line 3: there is no package flaks in conda-forge. Did you mean flask?", "write flask in its place"
                    ),
                    (
                        "dependencies:\n  - python\n  - tides=3\n",
                        "environment.yml line 3: there is no tides 3.* in conda-forge; there is 1.0, 2.0", nil
                    ),
                    (
                        "dependencies:\n  - python\n  - harbour\n  - pier\n",
                        "these contradict each other: environment.yml line 3 (harbour), environment.yml line 4 (pier)",
                        "loosen one of them; the solver's reasoning stands above"
                    ),
                    (
                        "platforms:\n  - win-64\ndependencies:\n  - python\n",
                        "environment.yml line 1: it is made for win-64, and apps run on linux-64", nil
                    ),
                    (
                        "dependencies:\n  - conda-forge/osx-64::tides\n",
                        "environment.yml line 2: “conda-forge/osx-64::tides” is for osx-64, and apps run on linux-64", nil
                    ),
                    (
                        "channels: ['\(channel.url)/nowhere']\ndependencies: [python]\n",
                        "there is no conda channel at \(channel.url)/nowhere", "check the channel's name"
                    ),
                    (
                        "dependencies:\n  - python\n  - pip:\n      - pandsa\n",
                        "environment.yml line 4: no version of pandsa was found. Did you mean pandas?", nil
                    ),
                ]
                for (environment, message, hint) in cases {
                    let error = await refused { try await shop.build(app(environment)) }
                    #expect(error?.code == .appFailed)
                    #expect(error?.message == message)
                    if let hint { #expect(error?.hint == hint) }
                }
                let heard = Heard()
                _ = await refused { try await shop.build(app("dependencies: [python, harbour, pier]"), log: heard.log) }
                #expect(await heard.contains("tides <2"), "the solver's own words are shown")
                #expect(await !heard.contains("moor-error"))
            }
        }
    }

    @Test func `a channel's login comes from the app's config for builds, and stays nowhere`() async throws {
        // What would end the name of a host is allowed in a value.
        let password = "hunt/er@22:x"
        try await CondaChannel.serve("ada:\(password)") { channel in
            try await withWorkshop { shop in
                func environment(_ login: String) -> [String: String] {
                    app("channels: ['http://\(login)\(channel.server.host):\(channel.server.port)']\ndependencies: [python, tides=1]\n")
                }
                let asked = environment("${CHANNEL_USER}:${CHANNEL_PASSWORD}@")
                let cases: [(values: [String: String], files: [String: String], message: String, hint: String)] = [
                    (
                        ["CHANNEL_USER": "ada", "CHANNEL_PASSWORD": password], environment(""),
                        "the conda channel \(channel.url) asks for a login",
                        "write it as https://${USER}:${PASSWORD}@… or …/t/${TOKEN}/… and set the values with moor config set --build NAME=-"
                    ),
                    (
                        ["CHANNEL_USER": "ada", "CHANNEL_PASSWORD": "mallory-guess"], asked,
                        "the conda channel \(channel.url) does not take the login that it is given",
                        "check the values: moor config list shows their names, moor config set --build NAME=- sets one"
                    ),
                    (
                        ["CHANNEL_USER": "ada"], asked, "environment.yml line 1: ${CHANNEL_PASSWORD} has no value",
                        "set it: moor config set --build CHANNEL_PASSWORD=-"
                    ),
                    (
                        ["TOKEN": password], app("channels:\n  - \(channel.url)?token=${TOKEN}\ndependencies: [python]"),
                        "environment.yml line 2: a value in a URL's query would be kept in the image",
                        "put it before the host, as in https://user:${TOKEN}@host/channel"
                    ),
                ]
                let heard = Heard()
                for (values, files, message, hint) in cases {
                    await shop.service.attach(.init(values: { _ throws(MoorError) in values }))
                    let error = await refused { try await shop.build(files, log: heard.log) }
                    #expect(error?.message == message)
                    #expect(error?.hint == hint)
                }
                // One value may be all of the address; a lock file has the login in each of its own.
                let values = [
                    "CHANNEL_USER": "ada", "CHANNEL_PASSWORD": password,
                    "CHANNEL": "http://ada:hunt%2Fer%4022:x@\(channel.server.host):\(channel.server.port)",
                ]
                await shop.service.attach(.init(values: { _ throws(MoorError) in values }))
                let lock = try CondaChannel.lock("http://${CHANNEL_USER}:${CHANNEL_PASSWORD}@\(channel.server.host):\(channel.server.port)")
                for files in [asked, app("channels: ['${CHANNEL}']\ndependencies: [python, tides=1]"), app("", ["conda-lock.yml": lock])] {
                    let built = try await shop.build(files, log: heard.log)
                    let said = try await shop.run(built.image.reference, "python", "-c", "import tides; print(tides.version)")
                    #expect(said == "1.0\n")
                    let meta = try await shop.run(built.image.reference, "sh", "-c", "cat /opt/conda/conda-meta/tides-1.0-*.json")
                    #expect(meta.contains("\(channel.url)/noarch"), "its place is told without the login")
                    try await shop.expectNowhere([password, "hunt%2Fer%4022", "mallory-guess"], built, heard)
                }
            }
        }
    }

    @Test func `a channel that is not there is told apart from one that cannot be reached`() async throws {
        try await withWorkshop({ $0.settings = ["conda.channels": "http://127.0.0.1:9/forge"] }) { shop in
            let cases: [(channels: String, message: String, hint: String)] = [
                (
                    "channels: ['file:///srv/conda']\n", "there is no conda channel at file:///srv/conda",
                    "one with file:// lies in the repository, as in file:///app/channel"
                ),
                (
                    "channels: [./channel]\n", "environment.yml line 1: ./channel is not in the repository",
                    "commit it (git add ./channel), or take the line out"
                ),
                (
                    "", "the conda channel http://127.0.0.1:9/forge could not be reached: Connection refused (os error 111)",
                    "try again; if it stays so, the platform's admin must check conda.channels and conda.mirrors"
                ),
            ]
            for (channels, message, hint) in cases {
                let error = await refused { try await shop.build(app(channels + "dependencies: [python]")) }
                #expect(error?.message == message)
                #expect(error?.hint == hint)
            }
        }
    }

    @Test func `a channel may lie in the repository`() async throws {
        try await CondaChannel.make()
        try await withWorkshop { shop in
            for channel in ["./channel", "file:///app/channel"] {
                var files: [String: [UInt8]] = [
                    "environment.yml": Array("channels: [\(channel)]\ndependencies: [python, tides]\n".utf8),
                    "Procfile": Array("web: x".utf8),
                ]
                for name in [
                    "linux-64/python-3.11.2-h0_0.tar.bz2", "noarch/tides-2.0-py_0.tar.bz2", "noarch/repodata.json",
                    "linux-64/repodata.json",
                ] {
                    files["channel/\(name)"] = Array(try Data(contentsOf: URL(filePath: "\(CondaChannel.folder)/\(name)")))
                }
                let push = try await shop.push(InMemorySourceTree(bytes: files))
                let built = try await shop.service.build(push.0, source: push.1, log: .discard)
                let said = try await shop.run(built.reference, "python", "-c", "import tides; print(tides.version)")
                #expect(said == "2.0\n")
            }
        }
    }
}

struct `Conda environments as planned` {
    @Test(arguments: [
        (["environment.yml": "dependencies: [python]", "requirements.txt": "x"], "pip"),
        (["environment.yaml": "dependencies: [python]"], "conda"),
        (["conda-requirements.txt": "x", "requirements.txt": "x"], "conda"),
        (["conda-lock.yml": "version: 1", "environment.yml": "dependencies: [python]"], "conda"),
        (["environment.yml": "dependencies: [python]", "requirements.txt": "x", "moor.yaml": "build: { buildpack: conda }"], "conda"),
    ])
    func `pip wins where both stand`(_ files: [String: String], _ pack: String) throws {
        let planned = try plan(files.merging(["Procfile": "web: x"]) { $1 })
        #expect(planned.detection.buildpack.id == pack)
        if files["requirements.txt"] != nil, pack == "pip" {
            #expect(planned.notes.contains { $0.contains("environment.yml would do for buildpack conda") })
        }
    }

    @Test func `a changed setting makes other environments, and pip's layers stay`() throws {
        func key(_ files: [String: String], _ channels: String) throws -> String {
            let packs = try Buildpack.load(roots: [shippedBuildpacks])
            let plan = try BuildPlan(InMemorySourceTree(files), packs: packs, settings: ["conda.channels": channels])
            return plan.stages[0].key
        }
        let conda = app("dependencies: [python]")
        #expect(try key(conda, "conda-forge") != key(conda, "bioconda"))
        #expect(try key(conda, "conda-forge") == key(conda, "conda-forge"))
        let pip = ["requirements.txt": "six", "Procfile": "web: x"]
        #expect(try key(pip, "conda-forge") == key(pip, "bioconda"))
    }

    @Test func `a package that needs CUDA is known by its name in conda`() throws {
        let planned = try plan(app("dependencies:\n  - python=3.11\n  - conda-forge::pytorch-gpu=2.4\n"))
        #expect(planned.gpu.package == "pytorch-gpu in environment.yml line 3 needs CUDA")
    }

    @Test func `a file that is not YAML is named with its line`() throws {
        let error = #expect(throws: MoorError.self) { try plan(app("dependencies:\n  - [\n")) }
        #expect(error?.message.hasPrefix("environment.yml line ") == true)
    }
}
