import Foundation
import Models
import TestSupport
import Testing

@testable import Builds

/// The buildpacks of this package, as the platform ships them.
let shippedBuildpacks = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../buildpacks").standardized.path

func plan(_ files: [String: String]) throws -> BuildPlan {
    try BuildPlan(InMemorySourceTree(files), packs: Buildpack.load(roots: [shippedBuildpacks]))
}

let dash = "import dash\napp = dash.Dash(__name__)\nserver = app.server\n"

struct `Detection and plan` {
    @Test(arguments: [
        (
            ["requirements.txt": "dash\n", "app.py": dash], "found requirements.txt",
            "uv pip install --requirement requirements.txt gunicorn"
        ),
        (
            ["requirements.txt": "dash\nGunicorn>=20\n", "app.py": dash], "found requirements.txt",
            "uv pip install --requirement requirements.txt"
        ),
        (
            ["requirements.txt": "-r base.txt", "base.txt": "gunicorn[gevent]", "app.py": dash], "found requirements.txt",
            "uv pip install --requirement requirements.txt"
        ),
        (
            ["pyproject.toml": "[project]\n", "uv.lock": "", "Procfile": "web: x"], "found pyproject.toml and uv.lock",
            "uv sync --frozen --no-dev --no-install-project"
        ),
        (
            ["pyproject.toml": "[project]\n", "uv.lock": "", "app.py": dash], "found pyproject.toml and uv.lock",
            "uv sync --frozen --no-dev --no-install-project && uv pip install gunicorn"
        ),
        (
            ["pyproject.toml": "[project]\ndependencies = [\n  'gunicorn', \"dash[ci]>=3\",\n]\n", "app.py": dash], "found pyproject.toml",
            "uv pip install --requirement pyproject.toml"
        ),
        (
            ["requirements.txt": "x", "pyproject.toml": "[tool.black]", "Procfile": "web: x"], "found requirements.txt",
            "uv pip install --requirement requirements.txt"
        ),
    ])
    func `a tree is built by the rule that fits`(_ files: [String: String], _ reason: String, _ install: String) throws {
        let plan = try plan(files)
        #expect(plan.detection.buildpack.id == "pip")
        #expect(plan.detection.reason == reason)
        #expect(plan.values["install"] == install)
    }

    @Test func `a tree with nothing recognisable is told what was looked for and what would fix it`() throws {
        let error = try #require(throws: MoorError.self) { try plan(["main.go": "", "pyproject.toml": "[tool.black]\n"]) }
        #expect(error.code == .appFailed)
        #expect(error.message.contains("requirements.txt, pyproject.toml with uv.lock or pyproject.toml holding [project]"))
        #expect(error.hint?.contains("add a requirements.txt") == true)
    }

    @Test func `an app in a folder of the repository is told to move`() throws {
        let error = try #require(throws: MoorError.self) { try plan(["src/requirements.txt": "dash"]) }
        #expect(error.hint?.contains("src/requirements.txt is not in the root") == true)
    }

    @Test func `the dependency layer is keyed by the dependency files alone`() throws {
        let first = try plan(["requirements.txt": "dash\n", "app.py": dash])
        let appChanged = try plan(["requirements.txt": "dash\n", "app.py": dash + "# more\n", "data.csv": "1"])
        let packagesChanged = try plan(["requirements.txt": "dash\npandas\n", "app.py": dash])
        #expect(first.dependencyKey == appChanged.dependencyKey)
        #expect(first.digest == appChanged.digest)
        #expect(first.dependencyKey != packagesChanged.dependencyKey)
    }

    @Test(arguments: [
        ("dash\n-r more/other.txt\n", ["app/more/other.txt", "app/more/third.txt", "app/requirements.txt"]),
        ("-c constraints.txt\ndash\n", ["app/constraints.txt", "app/requirements.txt"]),
        ("--requirement=constraints.txt # why\n", ["app/constraints.txt", "app/requirements.txt"]),
        ("./pkg\n", ["app/pkg/a.py", "app/pkg/pyproject.toml", "app/requirements.txt"]),
        ("-e ./pkg[extra]\n", ["app/pkg/a.py", "app/pkg/pyproject.toml", "app/requirements.txt"]),
        ("mine @ file:pkg\n", ["app/pkg/a.py", "app/pkg/pyproject.toml", "app/requirements.txt"]),
        ("wheels/x-1-py3-none-any.whl\n", ["app/requirements.txt", "app/wheels/x-1-py3-none-any.whl"]),
        ("git+https://example.com/x.git\nhttps://example.com/x.zip\n--index-url https://example.com/simple\n", ["app/requirements.txt"]),
    ])
    func `files that the requirements name are part of the dependency layer`(_ requirements: String, _ paths: [String]) throws {
        let plan = try plan([
            "requirements.txt": requirements, "more/other.txt": "-r third.txt", "more/third.txt": "flask",
            "constraints.txt": "flask==3.0.0",
            "pkg/pyproject.toml": "", "pkg/a.py": "", "wheels/x-1-py3-none-any.whl": "zip", "Procfile": "web: x", "app.py": "",
        ])
        guard case .files(let files) = plan.dependencies else { throw MoorError(.internalError, "the whole tree") }
        #expect(files.map(\.path) == paths)
    }

    @Test func `a repository that installs itself is the dependency layer as a whole`() throws {
        let plan = try plan(["requirements.txt": "-e .\n", "setup.py": "", "Procfile": "web: x"])
        guard case .wholeTree = plan.dependencies else { throw MoorError(.internalError, "only files") }
    }

    @Test(arguments: [
        ("-r other.txt", "requirements.txt line 1: other.txt is not in the repository"),
        ("dash\n./nothing", "requirements.txt line 2: ./nothing is not in the repository"),
        ("-e /home/ada/pkg", "requirements.txt line 1: /home/ada/pkg is a path of your own machine"),
        ("../pkg", "requirements.txt line 1: ../pkg lies outside the repository"),
    ])
    func `a requirement that names what is not there is refused by its line`(_ requirements: String, _ message: String) throws {
        let error = try #require(throws: MoorError.self) { try plan(["requirements.txt": requirements, "Procfile": "web: x"]) }
        #expect(error.message == message)
    }

    @Test func `requirements in UTF-16, as PowerShell writes them, are read`() throws {
        let text = "\u{FEFF}gunicorn\r\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let tree = InMemorySourceTree(bytes: ["requirements.txt": text, "app.py": Array(dash.utf8)])
        let plan = try BuildPlan(tree, packs: Buildpack.load(roots: [shippedBuildpacks]))
        #expect(plan.requirements.has("gunicorn"))
        guard case .files(let files) = plan.dependencies else { throw MoorError(.internalError, "the whole tree") }
        #expect(files.first?.contents == Array("gunicorn\r\n".utf8))
    }

    @Test func `a package with a build system is installed after it is copied`() throws {
        let package = try plan(["pyproject.toml": "[project]\nname='x'\n[build-system]\n", "uv.lock": "", "Procfile": "web: x"])
        #expect(package.values["project"] == "uv sync --frozen --no-dev --inexact")
        let template = package.detection.buildpack.template
        let file = try Containerfile(template, values: package.values.merging(["base": "b"]) { $1 }, pack: "pip")
        #expect(file.stages.map(\.commands.count) == [1, 1])
        #expect(file.stages.map(\.user) == ["10001:10001", "10001:10001"])
        let plain = try plan(["requirements.txt": "dash", "app.py": dash])
        let fast = try Containerfile(template, values: plain.values.merging(["base": "b"]) { $1 }, pack: "pip")
        #expect(fast.stages.map(\.commands.count) == [1, 0], "a copy and a commit are all that an app without a build system needs")
        #expect(fast.stages[0].commands[0].caches == ["/var/cache/uv"])
    }
}
