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
        #expect(error.message.contains("requirements.txt, pyproject.toml with uv.lock, pyproject.toml with poetry.lock, Pipfile.lock"))
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
        #expect(first.stages[0].key == appChanged.stages[0].key)
        #expect(first.digest == appChanged.digest)
        #expect(first.stages[0].key != packagesChanged.stages[0].key)
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

    @Test func `Pipenv's lock is installed exactly as it is pinned`() throws {
        let lock = """
            {"_meta": {"sources": [
                {"name": "ours", "url": "https://${USER}@packages.example.com/simple", "verify_ssl": true},
                {"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true}]},
             "default": {
                "zipp": {"version": "==3.20.0", "hashes": ["sha256:aa", "sha256:bb"], "markers": "python_version >= '3.8'", "index": "pypi"},
                "celery": {"extras": ["redis"], "version": "==5.4.0", "hashes": ["sha256:cc"]},
                "mine": {"editable": true, "path": "./pkg"},
                "theirs": {"git": "https://example.com/x.git", "ref": "abc", "subdirectory": "py"}},
             "develop": {"pytest": {"version": "==8.0.0"}}}
            """
        let plan = try plan(["Pipfile.lock": lock, "pkg/pyproject.toml": "", "pkg/a.py": "", "app.py": dash, "other.py": ""])
        guard case .files(let files) = plan.dependencies else { throw MoorError(.internalError, "the whole tree") }
        #expect(
            files.map(\.path) == [
                "app/Pipfile.lock", "app/pkg/a.py", "app/pkg/pyproject.toml", "app/.moor/constraints.txt", "app/.moor/pyproject.toml",
                "app/.moor/requirements.txt",
            ])
        let lines = [
            "--index-url https://${USER}@packages.example.com/simple", "--extra-index-url https://pypi.org/simple",
            "celery[redis]==5.4.0 --hash=sha256:cc", "mine @ file:///app/pkg",
            "theirs @ git+https://example.com/x.git@abc#subdirectory=py",
            "zipp==3.20.0 ; python_version >= '3.8' --hash=sha256:aa --hash=sha256:bb",
        ]
        #expect(String(decoding: files[5].contents, as: UTF8.self) == lines.joined(separator: "\n") + "\n")
        #expect(plan.values["install"]?.hasPrefix("uv pip install --no-deps --requirement .moor/requirements.txt") == true)
        #expect(plan.values["install"]?.hasSuffix(" && uv pip install gunicorn") == true)
        #expect(plan.values["apt"] == "git")
    }

    @Test func `a package that Poetry or Pipenv binds to an index comes from there alone, and nothing else does`() throws {
        let torch = "https://wheels.example.com/cpu"
        let poetry = """
            [project]
            name = "x"
            dependencies = ["torch[a] >=2 ; python_version > '3'", "dash"]
            [tool.poetry.dependencies]
            torch = { source = "py-torch" }
            [[tool.poetry.source]]
            name = "py-torch"
            url = "\(torch)"
            priority = "explicit"
            """
        let lock = """
            [[package]]
            name = "torch"
            version = "2.5.1+cpu"
            files = [{file = "torch.whl", hash = "sha256:aa"}]
            [package.source]
            type = "legacy"
            url = "\(torch)"
            reference = "py-torch"
            [[package]]
            name = "dash"
            version = "3"
            files = []
            [metadata]
            lock-version = "2.1"
            """
        let pipfile = """
            {"_meta": {"sources": [{"name": "pypi", "url": "https://pypi.org/simple"}, {"name": "py-torch", "url": "\(torch)"}]},
             "default": {"torch": {"extras": ["a"], "version": "==2.5.1+cpu", "hashes": ["sha256:aa"], "index": "py-torch"},
                         "dash": {"version": "==3", "index": "pypi"}}}
            """
        let cases = [
            (["pyproject.toml": poetry + "\n[tool.poetry]\n", "poetry.lock": lock], "dash\n", "torch[a]>=2 ; python_version > '3'"),
            (["Pipfile.lock": pipfile], "dash==3\n", "torch[a]==2.5.1+cpu"),
        ]
        for (tree, asked, bound) in cases {
            guard case .files(let files) = try plan(tree.merging(["Procfile": "web: x"]) { $1 }).dependencies else {
                throw MoorError(.internalError, "the whole tree")
            }
            func text(_ name: String) -> String? {
                files.first { $0.path == "app/.moor/\(name)" }.map { String(decoding: $0.contents, as: UTF8.self) }
            }
            #expect(text("requirements.txt") == asked)
            #expect(text("constraints.txt")?.contains("torch==2.5.1+cpu --hash=sha256:aa") == true)
            let lines = [
                "[project]", "name = \"moor-bound\"", "version = \"0\"", "dependencies = [", "    \"\(bound)\",", "]",
                "[tool.uv.sources]", "\"torch\" = { index = \"py-torch\" }", "[[tool.uv.index]]", "name = \"py-torch\"",
                "url = \"\(torch)\"", "explicit = true", "",
            ]
            #expect(text("pyproject.toml")?.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) == lines)
        }
    }

    @Test func `Poetry's lock holds what the main group asks for`() throws {
        let project = """
            [tool.poetry]
            name = "app"
            [tool.poetry.dependencies]
            python = "~3.11"
            Dash = { version = "^3.0", extras = ["diskcache"], markers = "sys_platform == 'linux'" }
            numpy = [{ version = "<2", python = "<3.12" }, { version = ">=2", python = ">=3.12.1" }]
            theirs = { git = "https://example.com/x.git", branch = "main" }
            [[tool.poetry.source]]
            name = "ours"
            url = "https://packages.example.com/simple"
            priority = "supplemental"
            [tool.poetry.group.dev.dependencies]
            pytest = "*"
            """
        let lock = """
            # This file is generated.
            [[package]]
            name = "dash"
            version = "3.0.4"
            files = [
                {file = "dash.whl", hash = "sha256:aa"},
                {file = "dash.tar.gz", hash = "sha256:bb"},
            ]
            [package.dependencies]
            flask = ">=1"
            [[package]]
            name = "numpy"
            version = "1.26.4"
            markers = 'python_version < "3.12"'
            files = []
            [[package]]
            name = "numpy"
            version = "2.1.0"
            markers = {main = 'python_version >= "3.12"', dev = "x"}
            files = []
            [[package]]
            name = "theirs"
            version = "1"
            files = []
            [package.source]
            type = "git"
            url = "https://example.com/x.git"
            reference = "main"
            resolved_reference = "abc"
            [metadata]
            lock-version = "2.1"
            """
        let plan = try plan(["pyproject.toml": project, "poetry.lock": lock, "app.py": dash])
        guard case .files(let files) = plan.dependencies else { throw MoorError(.internalError, "the whole tree") }
        let asked = [
            "--extra-index-url https://packages.example.com/simple", "Dash[diskcache] ; sys_platform == 'linux'",
            "numpy ; python_full_version >= \"3.12.1\"", "numpy ; python_version < \"3.12\"", "theirs",
        ]
        let held = [
            "dash==3.0.4 --hash=sha256:aa --hash=sha256:bb", "numpy==1.26.4 ; python_version < \"3.12\"",
            "numpy==2.1.0 ; python_version >= \"3.12\"", "theirs @ git+https://example.com/x.git@abc",
        ]
        #expect(String(decoding: files[4].contents, as: UTF8.self) == asked.joined(separator: "\n") + "\n")
        #expect(String(decoding: files[2].contents, as: UTF8.self) == held.joined(separator: "\n") + "\n")
        #expect(plan.values["python"] == "'>=3.11,<3.12'")
        #expect(plan.values["apt"] == "git")
    }

    @Test(
        arguments: [
            ("^1.2.3", ">=1.2.3,<2"), ("^0.2.3", ">=0.2.3,<0.3"), ("^0.0.3", ">=0.0.3,<0.0.4"), ("^0.0", ">=0.0,<0.1"), ("^0", ">=0,<1"),
            ("~1.2.3", ">=1.2.3,<1.3"), ("~1", ">=1,<2"), ("1.2.*", "==1.2.*"), ("1.2.3", "==1.2.3"), (">= 1, < 2", ">=1,<2"),
            (">=1 <2", ">=1,<2"), ("~=1.4", "~=1.4"), ("*", ""), ("^1 || ^2", nil), ("nonsense", nil), ("!=1.5,>1", "!=1.5,>1"),
        ] as [(String, String?)])
    func `Poetry's versions are written as pip's`(_ written: String, _ expected: String?) {
        #expect(PoetryVersion.specifier(written) == expected)
    }

    @Test func `the Python that is asked for is part of the dependency layer`() throws {
        let first = try plan(["requirements.txt": "six", "Procfile": "web: x"])
        let other = try plan(["requirements.txt": "six", "Procfile": "web: x", ".python-version": "3.12"])
        #expect(first.values["python"] == "3")
        #expect(other.values["python"] == "'3.12'")
        #expect(first.stages[0].key != other.stages[0].key)
        let patch = try plan(["requirements.txt": "six", "Procfile": "web: x", "runtime.txt": "python-3.12.1"])
        #expect(patch.stages[0].key == other.stages[0].key, "a bug fix is not insisted on")
    }

    @Test func `what app.json wants run in the build runs last, as the app's user`() throws {
        let command = "echo {{install}} && make"
        let plan = try plan(["requirements.txt": "six", "Procfile": "web: x", "app.json": #"{"scripts": {"predeploy": "\#(command)"}}"#])
        let run = try #require(plan.stages.last?.stage.commands.last)
        #expect(run.command == command, "what it holds is not looked into")
        #expect(run.user == "10001:10001")
        #expect(plan.stages.last?.stage.user == "10001:10001")
    }

    @Test func `a package with a build system is installed after it is copied`() throws {
        let package = try plan(["pyproject.toml": "[project]\nname='x'\n[build-system]\n", "uv.lock": "", "Procfile": "web: x"])
        #expect(package.values["project"] == "uv sync --frozen --no-dev --inexact")
        #expect(package.stages.map(\.stage.commands.count) == [1, 1])
        #expect(package.stages.map(\.stage.user) == ["10001:10001", "10001:10001"])
        let plain = try plan(["requirements.txt": "dash", "app.py": dash])
        #expect(plain.stages.map(\.stage.commands.count) == [1, 0], "a copy and a commit are all that an app without a build system needs")
        #expect(plain.stages[0].stage.commands[0].caches == ["/var/cache/uv"])
    }

    @Test(arguments: [
        ("apt-packages", "libgdal-dev g++\n# x\nlibgdal-dev=3.6.2+dfsg-1"), ("Aptfile", "g++"), ("packages.txt", "ffmpeg\r\n"),
    ])
    func `Debian packages are a layer of their own below the dependencies`(_ file: String, _ text: String) throws {
        let first = try plan(["requirements.txt": "dash", "app.py": dash, file: text])
        #expect(first.stages.map(\.stage.name) == ["apt", "dependencies", ""])
        #expect(first.stages[0].stage.commands[0].command.contains("install " + (first.values["apt"] ?? "?")))
        let other = try plan(["requirements.txt": "flask", "app.py": dash, file: text])
        #expect(other.stages[0].key == first.stages[0].key, "all apps share it")
        #expect(other.stages[1].key != first.stages[1].key)
    }

    @Test(arguments: ["libgdal-", "-y", "https://example.com/x.deb", "Foo", "a;b", "x=$(id)"])
    func `what is no Debian package is refused by its line`(_ word: String) throws {
        let error = try #require(throws: MoorError.self) {
            try plan(["requirements.txt": "", "Procfile": "web: x", "Aptfile": "git\n\(word)\n"])
        }
        #expect(error.message == "Aptfile line 2: “\(word)” is not the name of a Debian package")
    }
}
