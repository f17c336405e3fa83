import Builds
import Foundation
import Models
import Subprocess
import TestSupport
import Testing

private let hashes = [
    "six": "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274",
    "idna": "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3",
]

private func pipfileLock(six hash: String) -> String {
    """
    {"_meta": {"sources": [{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true}]},
     "default": {
       "six": {"hashes": ["\(hash)"], "version": "==1.17.0"},
       "colorama": {"version": "==0.4.6", "markers": "sys_platform == 'win32'"}}}
    """
}

@Suite(.engine, .serialized, .timeLimit(.minutes(10)))
struct `Python apps in a real engine` {
    @Test func `Pipfile.lock gives what is pinned in it, and no more`() async throws {
        try await withWorkshop { shop in
            let heard = Heard()
            let built = try await shop.build(["Pipfile.lock": pipfileLock(six: hashes["six"] ?? ""), "Procfile": "web: x"], log: heard.log)
            #expect(await heard.contains("+ six==1.17.0"))
            #expect(await heard.contains("using Python 3.11"))
            let listed = try await shop.run(built.image.reference, "ls", "/opt/venv/lib/python3.11/site-packages")
            #expect(listed.contains("six.py"))
            #expect(!listed.contains("colorama"))
        }
        // An app of its own: what another's layer holds was checked when it was installed.
        try await withWorkshop { shop in
            let error = await refused {
                try await shop.build(["Pipfile.lock": pipfileLock(six: hashes["idna"] ?? ""), "Procfile": "web: x"])
            }
            #expect(error?.message == "Pipfile.lock line 3: what the index gave for six==1.17.0 is not what its hash says")
        }
    }

    /// Of the index that `six` is bound to comes `six` alone, although it has an `idna` too.
    @Test func `a package that is bound to an index comes from there, and no other does`() async throws {
        try await withWorkshop { shop in
            let folder = shop.folder.appending(path: "index").path
            let script = """
                import pathlib, sys, zipfile
                for name in ["six", "idna"]:
                    folder = pathlib.Path(sys.argv[1], "simple", name)
                    folder.mkdir(parents=True)
                    wheel = f"{name}-99.0-py3-none-any.whl"
                    (folder / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
                    with zipfile.ZipFile(folder / wheel, "w") as archive:
                        archive.writestr(f"{name}.py", "theirs = True\\n")
                        archive.writestr(f"{name}-99.0.dist-info/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 99.0\\n")
                        archive.writestr(f"{name}-99.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                        archive.writestr(f"{name}-99.0.dist-info/RECORD", "")
                """
            let made = try await run(
                .name("python3"), arguments: ["-c", script, folder], output: .discarded, error: .string(limit: 1 << 16))
            try #require(made.terminationStatus.isSuccess, "\(made.standardError)")
            try await ServedFolder.serve(folder) { index in
                let pipfile = """
                    [[source]]
                    name = "pypi"
                    url = "https://pypi.org/simple"
                    [[source]]
                    name = "ours"
                    url = "\(index.url)/simple"
                    [packages]
                    six = { version = "*", index = "ours" }
                    idna = "*"
                    """
                let heard = Heard()
                _ = try await shop.build(["Pipfile": pipfile, "Procfile": "web: x"], log: heard.log)
                #expect(await heard.contains("+ six==99.0"))
                #expect(await heard.contains("+ idna==3."))
            }
        }
    }

    @Test func `poetry.lock holds the versions, and the repository is installed after them`() async throws {
        try await withWorkshop { shop in
            let files = [
                "pyproject.toml": """
                [tool.poetry]
                name = "mine"
                version = "1"
                description = ""
                authors = []
                [tool.poetry.dependencies]
                python = "^3.10"
                idna = "^3.0"
                [build-system]
                requires = ["poetry-core"]
                build-backend = "poetry.core.masonry.api"
                """,
                "poetry.lock": """
                [[package]]
                name = "idna"
                version = "3.10"
                files = [{file = "idna-3.10-py3-none-any.whl", hash = "\(hashes["idna"] ?? "")"}]
                [[package]]
                name = "pytest"
                version = "8.0.0"
                files = []
                [metadata]
                lock-version = "2.0"
                """,
                "mine/__init__.py": "x = 9\n", "Procfile": "web: x",
            ]
            let heard = Heard()
            let built = try await shop.build(files, log: heard.log)
            #expect(await heard.contains("+ idna==3.10"))
            #expect(await !heard.contains("pytest"))
            let said = try await shop.run(built.image.reference, "sh", "-c", "cd /; python -c 'import mine, idna; print(mine.x)'")
            #expect(said == "9\n")
        }
    }

    /// The bug fix that `.python-version` names is one that the base does not have.
    @Test func `uv.lock gives what is locked, on the base's own Python`() async throws {
        try await withWorkshop { shop in
            let six = "https://files.pythonhosted.org/packages/b7/ce/149a00dd41f10bc29e5921b496af8b574d8413afcd5e30dfa0ed46c2cc5e"
            let files = [
                ".python-version": "3.11.99\n", "mine.py": "x = 7\n", "Procfile": "web: x",
                "pyproject.toml": """
                [project]
                name = "mine"
                version = "1"
                requires-python = ">=3.10"
                dependencies = ["six==1.17.0"]
                [build-system]
                requires = ["setuptools"]
                build-backend = "setuptools.build_meta"
                """,
                "uv.lock": """
                version = 1
                requires-python = ">=3.10"
                [[package]]
                name = "mine"
                version = "1"
                source = { editable = "." }
                dependencies = [{ name = "six" }]
                [package.metadata]
                requires-dist = [{ name = "six", specifier = "==1.17.0" }]
                [[package]]
                name = "six"
                version = "1.17.0"
                source = { registry = "https://pypi.org/simple" }
                wheels = [{ url = "\(six)/six-1.17.0-py2.py3-none-any.whl", hash = "\(hashes["six"] ?? "")" }]
                """,
            ]
            let heard = Heard()
            let built = try await shop.build(files, log: heard.log)
            #expect(await heard.contains(".python-version line 1 asks for Python 3.11.99: any 3.11 is taken"))
            let said = try await shop.run(built.image.reference, "sh", "-c", "cd /; python -c 'import mine, six; print(mine.x)'")
            #expect(said == "7\n")
        }
    }

    @Test func `a value that the packages need and builds are not told is named`() async throws {
        try await withWorkshop { shop in
            let lines = "# ours\n--index-url https://${INDEX_TOKEN}@127.0.0.1:9/simple\nsix\n"
            let error = await refused { try await shop.build(["requirements.txt": lines, "Procfile": "web: x"]) }
            #expect(error?.message == "requirements.txt line 2 needs ${INDEX_TOKEN}, which the app's config for builds does not have")
        }
    }

    /// An index, an archive and a repository of git's, all behind one login.
    @Test func `the token of a private index is in no layer, cache or log`() async throws {
        let token = "private-index-token"
        try await withScratchFolder { folder in
            try await makePrivateIndex(folder.path)
            try await ServedFolder.serve(folder.appending(path: "served").path, "ada:\(token)") { server in
                try await withWorkshop { shop in
                    await shop.service.attach(.init(values: { _ throws(MoorError) in ["INDEX_TOKEN": token] }))
                    let place = "http://ada:${INDEX_TOKEN}@\(server.host):\(server.port)"
                    let lines = [
                        "--extra-index-url \(place)/simple", "moored-mine", "moored-archive @ \(place)/moored_archive-1-py3-none-any.whl",
                        "moored-git @ git+\(place)/moored-git.git",
                    ]
                    let heard = Heard()
                    let files = ["requirements.txt": lines.joined(separator: "\n"), "Procfile": "web: x"]
                    let built = try await shop.build(files, log: heard.log)
                    let said = try await shop.run(
                        built.image.reference, "python", "-c", "import moored_mine, moored_archive, moored_git; print('all')")
                    #expect(said == "all\n")
                    try await shop.expectNowhere([token], built, heard)

                    await shop.service.attach(.init(values: { _ throws(MoorError) in ["INDEX_TOKEN": "another-token"] }))
                    let error = await refused {
                        try await shop.build(files.merging(["requirements.txt": lines[0] + "\nmoored-other"]) { $1 })
                    }
                    #expect(
                        error?.message
                            == "the package index \(server.url)/simple asks for a login, or does not take the one given")
                }
            }
        }
    }

    private func makePrivateIndex(_ folder: String) async throws {
        let script = """
            set -e; cd "$1"; mkdir -p served/simple/moored-mine git
            for name in moored_mine moored_archive; do
                mkdir -p $name/$name-1.dist-info; echo 'x = 7' > $name/$name.py
                printf 'Metadata-Version: 2.1\\nName: %s\\nVersion: 1\\n' $name > $name/$name-1.dist-info/METADATA
                printf 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n' > $name/$name-1.dist-info/WHEEL
                printf '%s.py,,\\n%s-1.dist-info/METADATA,,\\n' $name $name > $name/$name-1.dist-info/RECORD
                (cd $name; python3 -m zipfile -c ../served/$name-1-py3-none-any.whl .)
            done
            echo '<a href="/moored_mine-1-py3-none-any.whl">moored_mine-1-py3-none-any.whl</a>' > served/simple/moored-mine/index.html
            printf '[project]\\nname = "moored-git"\\nversion = "1"\\n[build-system]\\nrequires = ["setuptools"]\\n' > git/pyproject.toml
            echo 'x = 7' > git/moored_git.py
            git -C git init --quiet -b main; git -C git add .
            git -C git -c user.name=ada -c user.email=ada@example.com commit --quiet -m x
            git clone --quiet --bare git served/moored-git.git; git -C served/moored-git.git update-server-info
            """
        let made = try await Subprocess.run(
            .name("sh"), arguments: ["-c", script, "make", folder], output: .discarded, error: .string(limit: 1 << 16))
        #expect(made.terminationStatus.isSuccess, "\(made.standardError)")
    }

    @Test func `Debian packages are asked for by their whole names, and what Debian has not is told by its line`() async throws {
        try await withWorkshop { shop in
            // To apt-get left to itself the first is a pattern, which hundreds of packages fit.
            let cases = [
                ("zl.b1g", "apt-packages line 2: Debian has no package zl.b1g"),
                ("tree=1.0", "apt-packages line 2: Debian has no tree of version 1.0"),
            ]
            for (name, message) in cases {
                let files = ["requirements.txt": "", "Procfile": "web: x", "apt-packages": "# ours\nzlib1g \(name)\n"]
                let error = await refused { try await shop.build(files) }
                #expect(error?.code == .appFailed)
                #expect(error?.message == message)
                #expect(error?.hint != nil)
            }
        }
    }

    @Test func `what app.json wants run in the build is kept in the image`() async throws {
        try await withWorkshop { shop in
            let files = [
                "requirements.txt": "six", "Procfile": "web: x", "data/a.txt": "a",
                "app.json": #"{"scripts": {"predeploy": "id -u > made.txt && cat data/a.txt >> made.txt"}}"#,
            ]
            let built = try await shop.build(files)
            let said = try await shop.run(built.image.reference, "sh", "-c", "cat made.txt; stat -c %u made.txt")
            #expect(said == "10001\na10001\n")
            let error = await refused {
                try await shop.build(files.merging(["app.json": #"{"scripts": {"predeploy": "echo no; exit 3"}}"#]) { $1 })
            }
            #expect(error?.message == "app.json's predeploy failed with exit code 3")
            #expect(error?.detail.last == "no")
        }
    }

    /// Where Python can be fetched, this one cannot: there is none.
    @Test func `a Python that cannot be had is named with where it is asked for`() async throws {
        try await withWorkshop { shop in
            let error = await refused {
                try await shop.build(["requirements.txt": "six", ".python-version": "3.99\n", "Procfile": "web: x"])
            }
            #expect(error?.code == .appFailed)
            #expect(error?.message.hasPrefix(".python-version line 1: there is no Python 3.99; the platform has 3.11.") == true)
            let containers = try await shop.containers()
            #expect(containers == "")
        }
    }
}
