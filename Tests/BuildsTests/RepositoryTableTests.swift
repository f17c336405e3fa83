import Foundation
import Models
import TestSupport
import Testing

@testable import Builds

/// A small repository and what the platform makes of it before anything runs.
struct Repository: Sendable, CustomTestStringConvertible {
    var name: String
    var tree: InMemorySourceTree
    var expected: Outcome

    enum Outcome: Sendable {
        /// Buildpack, the web process, how packages are installed, the layers' names below the app, and something of each
        /// note that must be said.
        case planned(pack: String = "pip", web: String?, install: String = pip, layers: [String] = ["dependencies"], says: [String] = [])
        case refused(String, hint: String = "")
    }

    static let pip = "uv pip install --requirement requirements.txt"

    init(_ name: String, _ files: [String: String], _ expected: Outcome) {
        self.init(name, tree: InMemorySourceTree(files), expected)
    }

    init(_ name: String, tree: InMemorySourceTree, _ expected: Outcome) {
        self.name = name
        self.tree = tree
        self.expected = expected
    }

    var testDescription: String { name }
}

private func utf16(_ text: String) -> [UInt8] { ("\u{FEFF}" + text).utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] } }

private let web = "Procfile"
private let gunicorn = "gunicorn app:server --bind 0.0.0.0:$PORT --threads 8"
private let asgi = "--host 0.0.0.0 --port $PORT --proxy-headers --forwarded-allow-ips '*'"
private let bokehFlags = "--address 0.0.0.0 --port $PORT --allow-websocket-origin='*' --use-xheaders --num-procs 1"
private let notebook =
    #"{"cells": [{"cell_type": "markdown", "source": "import panel"}, {"cell_type": "code", "source": ["import pandas\n"]}]}"#
private let panelNotebook = #"{"cells": [{"cell_type": "code", "source": ["%matplotlib inline\n", "import panel as pn"]}]}"#
private let pipfileLock = """
    {"_meta": {"sources": [{"name": "pypi", "url": "https://pypi.org/simple"}], "requires": {"python_version": "3.11"}},
     "default": {
      "six": {"hashes": ["sha256:aa", "sha256:bb"], "version": "==1.17.0", "markers": "python_version >= '2.7'"},
      "gunicorn": {"version": "==23.0.0"}
     }, "develop": {"pytest": {"version": "==8"}}}
    """
private let poetry = """
    [tool.poetry]
    name = "my-app"
    package-mode = false
    [tool.poetry.dependencies]
    python = "^3.10"
    six = "^1.16"
    dash = { version = ">=3", extras = ["diskcache"], python = "<3.13" }
    late = { version = "*", optional = true }
    [tool.poetry.group.dev.dependencies]
    pytest = "*"
    [build-system]
    requires = ["poetry-core"]
    """
private let poetryLock = """
    [[package]]
    name = "six"
    version = "1.17.0"
    files = [{file = "six.whl", hash = "sha256:aa"}]

    [[package]]
    name = "Dash"
    version = "3.0.4"
    [package.source]
    type = "legacy"
    url = "https://packages.example.com/simple"
    reference = "ours"

    [metadata]
    lock-version = "2.1"
    """
private let made = "--requirement .moor/requirements.txt --requirement .moor/pyproject.toml"
private let pinned = "uv pip install \(made) --constraint .moor/constraints.txt"
/// So many requirements files, each naming the next.
private func chain(of count: Int) -> [String: String] {
    var files = ["Procfile": "web: x", "requirements.txt": "-r 1.txt"]
    for number in 1..<count { files["\(number).txt"] = number == count - 1 ? "six" : "-r \(number + 1).txt" }
    return files
}
private let inQuery = "a value in a URL's query would be kept in the image"

private let frameworks: [Repository] = [
    Repository(
        "Dash", ["requirements.txt": "dash", "app.py": dash],
        .planned(
            web: gunicorn, install: Repository.pip + " gunicorn",
            says: ["recognised Dash in app.py (it imports dash and has “server = app.server”)"])),
    Repository(
        "Dash on a Flask app",
        ["requirements.txt": "dash", "app.py": "import dash, flask\nweb = flask.Flask(__name__)\napp = dash.Dash(server=web)"],
        .planned(web: "gunicorn app:web --bind 0.0.0.0:$PORT --threads 8", install: Repository.pip + " gunicorn")),
    Repository(
        "Dash without its server, but a page beside it that has it",
        [
            "requirements.txt": "dash", "app.py": "import dash\napp = dash.Dash()",
            "index.py": "from app import app\nimport dash\nserver = app.server",
        ],
        .planned(web: "gunicorn index:server --bind 0.0.0.0:$PORT --threads 8", install: Repository.pip + " gunicorn")),
    Repository(
        "Dash without its server", ["requirements.txt": "dash", "app.py": "import dash\napp = dash.Dash()"],
        .refused("app.py is a Dash app, but has no line that names its server", hint: "server = app.server")),
    Repository(
        "Streamlit", ["requirements.txt": "streamlit", "streamlit_app.py": "import streamlit as st"],
        .planned(
            web:
                "streamlit run streamlit_app.py --server.address 0.0.0.0 --server.port $PORT --server.headless true --browser.gatherUsageStats false"
        )),
    Repository(
        "Gradio",
        [
            "requirements.txt": "gradio",
            "app.py": "import gradio as gr\nwith gr.Blocks() as demo:\n    pass\nif __name__ == '__main__':\n    demo.launch()",
        ],
        .planned(web: "GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=$PORT python app.py")),
    Repository(
        "Gradio that never starts",
        ["requirements.txt": "gradio", "app.py": "import gradio as gr\ndemo = gr.Interface(len, 'text', 'text')"],
        .refused("app.py is a Gradio app, but never starts it", hint: "demo.launch()")),
    Repository(
        "Flask", ["requirements.txt": "flask\ngunicorn", "wsgi.py": "import flask as f\napplication = f.Flask(__name__)"],
        .planned(web: "gunicorn wsgi:application --bind 0.0.0.0:$PORT --threads 8")),
    Repository(
        "Flask made in a function",
        ["requirements.txt": "flask", "app.py": "from flask import Flask\ndef make():\n    app = Flask('x')\n    return app"],
        .refused("app.py imports flask, but has no line that makes an app")),
    Repository(
        "FastAPI",
        [
            "requirements.txt": "fastapi",
            "main.py": "from fastapi import (\n    FastAPI, # the app\n)\napi: FastAPI = FastAPI(\n    title='x',\n)",
        ],
        .planned(web: "uvicorn main:api \(asgi)", install: Repository.pip + " 'uvicorn[standard]'")),
    Repository(
        "FastAPI in a folder",
        ["requirements.txt": "fastapi\nuvicorn", "app/__init__.py": "", "app/main.py": "from fastapi import FastAPI\napp = FastAPI()"],
        .planned(web: "uvicorn app.main:app \(asgi)")),
    Repository(
        "Flask in a folder", ["requirements.txt": "flask\ngunicorn", "app/__init__.py": "from flask import Flask\napp = Flask('x')"],
        .planned(web: "gunicorn app:app --bind 0.0.0.0:$PORT --threads 8")),
    Repository(
        "FastAPI that Gradio is mounted on",
        [
            "requirements.txt": "fastapi\nuvicorn\ngradio",
            "app.py": "import gradio, fastapi\napp = fastapi.FastAPI()\napp = gradio.mount_gradio_app(app, b, '/')",
        ],
        .planned(web: "uvicorn app:app \(asgi)")),
    Repository(
        "Starlette",
        ["requirements.txt": "starlette\nuvicorn", "app.py": "from starlette.applications import Starlette\napp = Starlette()"],
        .planned(web: "uvicorn app:app \(asgi)")),
    Repository(
        "Quart", ["requirements.txt": "quart", "app.py": "from quart import Quart\napp = Quart(__name__)"],
        .planned(web: "hypercorn app:app --bind 0.0.0.0:$PORT", install: Repository.pip + " hypercorn")),
    Repository(
        "Panel", ["requirements.txt": "panel", "app.py": "import panel as pn\npn.panel('x').servable()"],
        .planned(web: "panel serve app.py \(bokehFlags)")),
    Repository(
        "Panel in a notebook", ["requirements.txt": "panel", "My app.ipynb": panelNotebook],
        .planned(web: "panel serve 'My app.ipynb' \(bokehFlags)")),
    Repository(
        "Bokeh", ["requirements.txt": "bokeh", "main.py": "from bokeh.plotting import curdoc, figure"],
        .planned(web: "bokeh serve main.py \(bokehFlags)")),
    Repository(
        "Streamlit that draws with Bokeh",
        ["requirements.txt": "bokeh\nstreamlit", "main.py": "import streamlit\nfrom bokeh.plotting import figure"],
        .planned(
            web:
                "streamlit run main.py --server.address 0.0.0.0 --server.port $PORT --server.headless true --browser.gatherUsageStats false"
        )),
    Repository(
        "a notebook", ["requirements.txt": "pandas", "report.ipynb": notebook, "notebooks/other.ipynb": notebook],
        .planned(
            web: "voila report.ipynb --no-browser --Voila.ip=0.0.0.0 --port=$PORT", install: Repository.pip + " voila ipykernel",
            says: ["recognised Voilà in report.ipynb"])),
    Repository(
        "notebooks", ["requirements.txt": "voila\nipykernel", "a.ipynb": notebook, "b.ipynb": notebook],
        .planned(web: "voila --no-browser --Voila.ip=0.0.0.0 --port=$PORT", says: ["the first of 2 such files"])),
    Repository(
        "Shiny", ["requirements.txt": "shiny", "app.py": "from shiny import App, ui\nmine = App(ui.page_fluid(), None)"],
        .planned(web: "shiny run app:mine --host 0.0.0.0 --port $PORT")),
    Repository(
        "Shiny Express", ["requirements.txt": "shiny", "app.py": "from shiny.express import ui\nui.h1('x')"],
        .planned(web: "shiny run app.py --host 0.0.0.0 --port $PORT")),
    Repository(
        "marimo", ["requirements.txt": "marimo", "app.py": "import marimo\n\n__generated_with = '0.1'\napp = marimo.App(width='full')"],
        .planned(web: "marimo run app.py --headless --host 0.0.0.0 --port $PORT")),
    Repository(
        "Django",
        [
            "requirements.txt": "django\ngunicorn", "manage.py": "import django",
            "site1/wsgi.py": "import os\nfrom django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()",
        ], .planned(web: "gunicorn site1.wsgi:application --bind 0.0.0.0:$PORT --threads 8")),
    Repository(
        "Django in a folder of another alphabet",
        ["requirements.txt": "django\ngunicorn", "größe/wsgi.py": "import django.core.wsgi as w\napplication = w.get_wsgi_application()"],
        .planned(web: "gunicorn 'größe.wsgi':application --bind 0.0.0.0:$PORT --threads 8")),
    Repository(
        "an import that is only a comment or a string", ["requirements.txt": "x", "app.py": "# import dash\n'''\nimport streamlit\n'''\n"],
        .refused("nothing here says how to start this app", hint: "Procfile")),
]

private let dependencyFiles: [Repository] = [
    Repository(
        "requirements with hashes", ["requirements.txt": "six==1.17.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n", web: "web: x"],
        .planned(web: "x")),
    Repository(
        "an extra index with a value of the build",
        ["requirements.txt": "--extra-index-url https://${TOKEN}@packages.example.com/simple\nmine", web: "web: x"],
        .planned(web: "x")),
    Repository(
        "a value in the query of an index",
        ["requirements.txt": "six\n--extra-index-url https://packages.example.com/simple?key=${TOKEN}", web: "web: x"],
        .refused("requirements.txt line 2: \(inQuery)", hint: "https://user:${TOKEN}@host/package.whl")),
    Repository(
        "a value in the query of a package",
        ["requirements.txt": "mine @ https://packages.example.com/mine-1.whl?key=${TOKEN}", web: "web: x"],
        .refused("requirements.txt line 1: \(inQuery)")),
    Repository(
        "a value in the query of a commit",
        ["requirements.txt": "-e git+https://example.com/x.git?key=${TOKEN}#egg=x", web: "web: x"],
        .refused("requirements.txt line 1: \(inQuery)")),
    Repository(
        "a value in a query of pyproject.toml",
        ["pyproject.toml": "[project]\nname='x'\ndependencies=[\n'mine @ https://example.com/x.whl?key=${TOKEN}']", web: "web: x"],
        .refused("pyproject.toml line 4: \(inQuery)")),
    Repository(
        "a value in a query of Pipfile.lock",
        ["Pipfile.lock": "{\"default\": {\n\"mine\": {\"file\": \"https://example.com/x.whl?key=${TOKEN}\"}}}", web: "web: x"],
        .refused("Pipfile.lock line 2: \(inQuery)")),
    Repository(
        "a value in a query of environment.yml",
        ["environment.yml": "dependencies:\n  - pip:\n      - mine @ https://example.com/x.whl?key=${TOKEN}", web: "web: x"],
        .refused("environment.yml line 3: \(inQuery)")),
    Repository("200 files that name each other", chain(of: 200), .planned(web: "x")),
    Repository(
        "201 files that name each other", chain(of: 201),
        .refused("200.txt: more than 200 files name each other", hint: "into fewer files")),
    Repository(
        "options that uv takes on its command line",
        ["requirements.txt": "--pre\n--trusted-host packages.example.com\nmine", web: "web: x"],
        .planned(web: "x", install: Repository.pip + " --prerelease=allow --allow-insecure-host=packages.example.com")),
    Repository(
        "wheels in a folder", ["requirements.txt": "--find-links ./wheels\nmine", "wheels/mine-1-py3-none-any.whl": "", web: "web: x"],
        .planned(web: "x")),
    Repository(
        "a commit fetched with git", ["requirements.txt": "six\n-e git+https://example.com/x.git@v1#egg=x\n", web: "web: x"],
        .planned(web: "x", layers: ["apt", "dependencies"], says: ["git is installed for requirements.txt line 2"])),
    Repository(
        "a commit fetched over ssh", ["requirements.txt": "six\nx @ git+ssh://git@example.com/x.git\n", web: "web: x"],
        .refused("requirements.txt line 2: “x @ git+ssh://git@example.com/x.git” is fetched over ssh", hint: "git+https://")),
    Repository(
        "a commit fetched with Mercurial", ["requirements.txt": "hg+https://example.com/x\n", web: "web: x"],
        .refused("requirements.txt line 1: “hg+https://example.com/x” is not fetched with git")),
    Repository(
        "uv", ["pyproject.toml": "[project]\nname='x'\nrequires-python='>=3.10'\n", "uv.lock": "version = 1\n", web: "web: x"],
        .planned(
            web: "x", install: "uv sync --frozen --no-dev --no-install-project",
            says: ["Python >=3.10 is asked for by pyproject.toml line 3"])),
    Repository(
        "uv with a commit",
        [
            "pyproject.toml": "[project]\nname='x'\n", "uv.lock": "[[package]]\nsource = { git = \"https://example.com/x?rev=1#2\" }",
            web: "web: x",
        ],
        .planned(
            web: "x", install: "uv sync --frozen --no-dev --no-install-project", layers: ["apt", "dependencies"],
            says: ["git is installed for uv.lock"])),
    Repository(
        "Pipenv", ["Pipfile": "[packages]\nsix='*'", "Pipfile.lock": pipfileLock, "app.py": dash],
        .planned(
            web: gunicorn, install: "uv pip install --no-deps \(made) --constraint .moor/constraints.txt",
            says: ["Python 3.11 is asked for by Pipfile.lock line 1"])),
    Repository(
        "Pipenv without a lock", ["Pipfile": "[packages]\nsix='*'\n[requires]\npython_version = '3.11'", web: "web: x"],
        .planned(
            web: "x", install: "uv pip install \(made)", says: ["Pipfile.lock is not there", "Pipfile line 4"])
    ),
    Repository(
        "a Pipfile.lock that is cut off", ["Pipfile.lock": "{\n \"default\": {\n", web: "web: x"],
        .refused("Pipfile.lock line 3 is not JSON")),
    Repository(
        "a Pipfile.lock of something else", ["Pipfile.lock": "{}", web: "web: x"],
        .refused("Pipfile.lock has no packages", hint: "pipenv lock")),
    Repository(
        "a Pipfile.lock whose index would smuggle an option",
        [
            "Pipfile.lock": "{\"_meta\": {\"sources\": [{\"name\": \"x\", \"url\": \"https://x\\n--pre\"}]}, \"default\": {}}",
            web: "web: x",
        ],
        .refused("Pipfile.lock: “https://x--pre” is no address of a package index")),
    .init(
        "a Pipfile.lock that would smuggle an option",
        ["Pipfile.lock": "{\"default\": {\"six\": {\"version\": \"==1 --index-url=https://x\"}}}", web: "web: x"],
        .refused("Pipfile.lock line 1: “six” cannot be read")),
    Repository(
        "Poetry", ["pyproject.toml": poetry, "poetry.lock": poetryLock, web: "web: x"],
        .planned(web: "x", install: pinned, says: ["Python >=3.10,<4 is asked for by pyproject.toml line 5"])),
    Repository(
        "Poetry without a lock", ["pyproject.toml": poetry, web: "web: x"],
        .planned(web: "x", install: "uv pip install \(made)", says: ["poetry.lock is not there"])),
    Repository(
        "Poetry with a lock that is older", ["pyproject.toml": poetry, "poetry.lock": "[metadata]\nlock-version = '2.1'", web: "web: x"],
        .refused("pyproject.toml line 6: six is not in poetry.lock", hint: "poetry lock")),
    Repository(
        "Poetry without a lock, with words that only Poetry has",
        ["pyproject.toml": "[tool.poetry.dependencies]\nsix = '^1 || ^2'", web: "web: x"],
        .refused("pyproject.toml line 2: “^1 || ^2” can only be read by Poetry")),
    Repository(
        "Poetry with the greatest of numbers for a version",
        ["pyproject.toml": "[tool.poetry.dependencies]\nsix = '^9223372036854775807'", web: "web: x"],
        .refused("pyproject.toml line 2: “^9223372036854775807” can only be read by Poetry", hint: "poetry lock")),
    Repository(
        "Poetry with more than numbers hold for a version",
        ["pyproject.toml": "[tool.poetry.dependencies]\nsix = '~99999999999999999999.1'", web: "web: x"],
        .refused("pyproject.toml line 2: “~99999999999999999999.1” can only be read by Poetry")),
    Repository(
        "Poetry with a day for a version", ["pyproject.toml": "[tool.poetry.dependencies]\nsix = '^20240131'", web: "web: x"],
        .planned(web: "x", install: "uv pip install \(made)")),
    Repository(
        "a pyproject.toml that is not TOML", ["pyproject.toml": "[project]\nname = x\n", web: "web: x"],
        .refused("pyproject.toml line 2 is not TOML")),
    Repository(
        "a package that is installed",
        [
            "pyproject.toml": "[project]\nname='x'\ndependencies=['dash']\n[build-system]\nrequires=['hatchling']", "x/__init__.py": "",
            web: "web: x",
        ],
        .planned(web: "x", install: "uv pip install --requirement pyproject.toml")),
]

private let pythons: [Repository] = [
    Repository(
        "runtime.txt with a bug fix", ["requirements.txt": "six", "runtime.txt": "python-3.11.7\n", web: "web: x"],
        .planned(web: "x", says: ["runtime.txt line 1 asks for Python 3.11.7: any 3.11 is taken"])),
    Repository(
        "runtime.txt", ["requirements.txt": "six", "runtime.txt": "python-3.12", web: "web: x"],
        .planned(web: "x", says: ["Python 3.12 is asked for by runtime.txt line 1"])),
    Repository(
        "runtime.txt with more than numbers hold",
        ["requirements.txt": "six", "runtime.txt": "python-3.99999999999999999999", web: "web: x"],
        .refused("runtime.txt line 1: “python-3.99999999999999999999”", hint: "python-3.11")),
    Repository(
        "runtime.txt of PyPy", ["requirements.txt": "six", "runtime.txt": "pypy3.9-7.3.11", web: "web: x"],
        .refused("runtime.txt line 1: “pypy3.9-7.3.11”", hint: "python-3.11")),
    Repository(
        ".python-version before runtime.txt",
        ["requirements.txt": "six", ".python-version": "# mine\r\n3.12\r\n", "runtime.txt": "python-3.9", web: "web: x"],
        .planned(web: "x", says: ["Python 3.12 is asked for by .python-version line 2"])),
    Repository(
        ".python-version of a virtual environment", ["requirements.txt": "six", ".python-version": "my-env\n", web: "web: x"],
        .refused(".python-version line 1: “my-env”", hint: "3.11")),
    Repository(
        ".python-version with more in it", ["requirements.txt": "six", ".python-version": "3.11'; id", web: "web: x"],
        .refused(".python-version line 1")),
]

private let conflicts: [Repository] = [
    Repository(
        "requirements.txt beside every other file",
        [
            "requirements.txt": "six", "pyproject.toml": poetry, "poetry.lock": poetryLock, "uv.lock": "", "Pipfile": "",
            "Pipfile.lock": pipfileLock, web: "web: x",
        ],
        .planned(
            web: "x", says: ["packages are read from requirements.txt; not from uv.lock, poetry.lock, Pipfile.lock and pyproject.toml"])),
    Repository(
        "uv.lock beside poetry.lock",
        ["pyproject.toml": poetry + "\n[project]\nname='x'", "poetry.lock": poetryLock, "uv.lock": "", web: "web: x"],
        .planned(web: "x", install: "uv sync --frozen --no-dev --no-install-project", says: ["not from poetry.lock"])),
    Repository(
        "a Procfile beside a framework", ["requirements.txt": "dash", "app.py": dash, web: "web: python app.py"],
        .planned(web: "python app.py")),
    Repository(
        "pages beside an app", ["requirements.txt": "dash\ngunicorn", "app.py": dash, "index.html": "<h1>x</h1>"],
        .planned(web: gunicorn, says: ["index.html would do for buildpack static", "build: { buildpack: static }"])),
    Repository(
        "pages alone", ["index.html": "<h1>x</h1>"], .planned(pack: "static", web: "moor-static", install: "", layers: ["apt"])),
    Repository(
        "pages that moor.yaml asks for",
        ["requirements.txt": "dash", "app.py": dash, "index.html": "", "moor.yaml": "build: { buildpack: static }"],
        .planned(pack: "static", web: "moor-static", install: "", layers: ["apt"])),
    Repository(
        "a buildpack that .buildpacks asks for and is not here", ["requirements.txt": "", ".buildpacks": "heroku/go\n"],
        .refused(".buildpacks line 1: there is no buildpack “heroku/go” here", hint: "name one of")),
    Repository(
        "packages of conda beside those of pip", ["requirements.txt": "six", "environment.yml": "dependencies: [six]", web: "web: x"],
        .planned(web: "x", says: ["environment.yml would do for buildpack conda"])),
    Repository(
        "two frameworks in two files", ["requirements.txt": "dash", "app.py": dash, "main.py": "import streamlit"],
        .planned(web: gunicorn, install: Repository.pip + " gunicorn")),
    Repository(
        "app.json and a release command",
        [
            "requirements.txt": "", web: "web: x\nrelease: a || b",
            "app.json": #"{"name": "x", "env": {}, "scripts": {"dokku": {"postdeploy": "c; d"}, "postdeploy": "no"}}"#,
        ],
        .planned(web: "x")),
    Repository(
        "app.json that is no JSON", ["requirements.txt": "", web: "web: x", "app.json": "{\n \"scripts\": {},\n}"],
        .refused("app.json line 3 is not JSON: a comma stands before the closing brace")),
    Repository(
        "app.json with a list for a command",
        ["requirements.txt": "", web: "web: x", "app.json": "{\"scripts\": {\n\"predeploy\": [\"a\"]}}"],
        .refused("app.json line 2: scripts.predeploy expects a command")),
]

private let oddities: [Repository] = [
    Repository(
        "CRLF and a mark everywhere",
        ["requirements.txt": "\u{FEFF}dash\r\ngunicorn\r\n", "app.py": "\u{FEFF}" + dash.replacing("\n", with: "\r\n")],
        .planned(web: gunicorn)),
    Repository(
        "requirements in UTF-16",
        tree: InMemorySourceTree(bytes: ["requirements.txt": utf16("dash\r\ngunicorn"), "app.py": Array(dash.utf8)]),
        .planned(web: gunicorn)),
    Repository(
        "an app in UTF-16", tree: InMemorySourceTree(bytes: ["requirements.txt": Array("dash".utf8), "app.py": utf16(dash)]),
        .refused("app.py is written in UTF-16", hint: "save app.py as UTF-8")),
    Repository(
        "an app in Latin-1",
        tree: InMemorySourceTree(bytes: [
            "requirements.txt": Array("dash\ngunicorn".utf8),
            "app.py": Array("# -*- coding: latin-1 -*-\n# caf".utf8) + [0xE9, 0x0A] + Array(dash.utf8),
        ]),
        .planned(web: gunicorn)),
    Repository(
        "requirements in Latin-1",
        tree: InMemorySourceTree(bytes: ["requirements.txt": Array("dash # caf".utf8) + [0xE9], web: Array("web: x".utf8)]),
        .refused("requirements.txt is not a text file in UTF-8", hint: "save requirements.txt as UTF-8")),
    Repository(
        "links that point out of the tree",
        tree: InMemorySourceTree(
            bytes: ["requirements.txt": Array("dash\ngunicorn".utf8), "app.py": Array(dash.utf8)],
            links: ["data": "../../etc", "secret": "/etc/shadow", "app.json": "/etc/passwd"]),
        .planned(web: gunicorn)),
    Repository(
        "requirements.txt that is a link",
        tree: InMemorySourceTree(bytes: [web: Array("web: x".utf8)], links: ["requirements.txt": "../requirements.txt"]),
        .refused("requirements.txt is a symbolic link, which is not followed", hint: "commit the file itself")),
    Repository(
        "paths with a newline, a quote and a tab",
        ["requirements.txt": "dash\ngunicorn", "app.py": dash, "a\nb.py": "", "it's\t.ipynb": notebook, "\n/wsgi.py": "import django"],
        .planned(web: gunicorn)),
    Repository(
        "a notebook whose name is a command", ["requirements.txt": "x", "a'; id #.ipynb": notebook],
        .refused("nothing here says how to start this app")),
    Repository(
        "a blob of 100 MB",
        tree: InMemorySourceTree(
            bytes: ["requirements.txt": Array("dash\ngunicorn".utf8), "app.py": Array(dash.utf8)],
            blank: ["data.bin": 100 << 20, "main.py": 100 << 20]),
        .planned(web: gunicorn)),
    Repository(
        "a blob of 100 MB for an app",
        tree: InMemorySourceTree(bytes: ["requirements.txt": Array("dash".utf8)], blank: ["app.py": 100 << 20]),
        .refused("nothing here says how to start this app")),
    Repository(
        "a blob of 100 MB for requirements",
        tree: InMemorySourceTree(bytes: [web: Array("web: x".utf8)], blank: ["requirements.txt": 100 << 20]),
        .refused("requirements.txt is larger than")),
    Repository(
        "a submodule",
        tree: InMemorySourceTree(
            bytes: ["requirements.txt": Array("dash\ngunicorn".utf8), "app.py": Array(dash.utf8)], submodules: ["lib"]),
        .planned(web: gunicorn)),
    Repository("an empty repository", [:], .refused("nothing here says how to build this app", hint: "add a requirements.txt")),
    Repository(
        "an app in a folder", ["src/requirements.txt": "dash", "src/app.py": dash],
        .refused("nothing here says how to build", hint: "src/requirements.txt is not in the root")),
]

private let julia: [Repository] = [
    Repository(
        "Julia", ["Project.toml": "[deps]\nHTTP = \"cd3eb016-35fb-5094-929b-558a96fad6f3\"\n", "app.jl": "using HTTP"],
        .planned(
            pack: "julia", web: "julia app.jl", install: "python3 /buildpack/install.py", says: ["recognised Julia script in app.jl"])),
    Repository(
        "Julia with a Procfile and Debian packages",
        ["Project.toml": "name = \"Tides\"\n[deps]\n", web: "web: julia -e 'using Tides; up()'", "apt-packages": "libnetcdf19"],
        .planned(
            pack: "julia", web: "julia -e 'using Tides; up()'", install: "python3 /buildpack/install.py", layers: ["apt", "dependencies"])),
    Repository(
        "Julia with nothing to start", ["Project.toml": "[deps]\n", "src/Tides.jl": ""],
        .refused("no Julia script app was found in app.jl", hint: "Procfile")),
    Repository(
        "a Project.toml without dependencies", ["Project.toml": "name = \"Tides\"\n", "app.jl": ""],
        .refused("nothing here says how to build this app", hint: "add a requirements.txt")),
    Repository(
        "a Project.toml that is not TOML", ["Project.toml": "[deps]\nHTTP = \n", "app.jl": ""],
        .refused("Project.toml line 2 is not TOML")),
    Repository(
        "a Julia package outside the repository",
        [
            "Project.toml": "[deps]\n", "app.jl": "",
            "Manifest.toml": "manifest_format = \"2.0\"\n[[deps.Tides]]\npath = \"../Tides\"\n",
        ],
        .refused("Manifest.toml line 2: ../Tides lies outside the repository")),
    Repository(
        "a Julia package that is not committed",
        ["Project.toml": "[deps]\n[sources]\nTides = {path = \"Tides\"}\n", "app.jl": ""],
        .refused("Project.toml line 3: Tides is not in the repository", hint: "git add Tides")),
    Repository(
        "Julia beside Python", ["Project.toml": "[deps]\n", "app.jl": "", "requirements.txt": "dash\ngunicorn", "app.py": dash],
        .planned(web: gunicorn, says: ["Project.toml would do for buildpack julia"])),
    Repository(
        "Julia beside pages", ["Project.toml": "[deps]\n", "app.jl": "", "index.html": ""],
        .planned(
            pack: "julia", web: "julia app.jl", install: "python3 /buildpack/install.py",
            says: ["index.html would do for buildpack static"])),
    Repository(
        "Julia that .buildpacks asks for",
        [
            "Project.toml": "[deps]\n", "app.jl": "", "requirements.txt": "x",
            ".buildpacks": "https://example.com/heroku-buildpack-julia.git",
        ],
        .planned(pack: "julia", web: "julia app.jl", install: "python3 /buildpack/install.py")),
]

struct `Small repositories` {
    @Test(arguments: [julia, frameworks, dependencyFiles, pythons, conflicts, oddities].flatMap(\.self))
    func `are detected, planned or refused as the table says`(_ repository: Repository) throws {
        let packs = try Buildpack.load(roots: [shippedBuildpacks])
        switch repository.expected {
        case .planned(let pack, let web, let install, let layers, let says):
            let plan = try BuildPlan(repository.tree, packs: packs)
            #expect(plan.detection.buildpack.id == pack)
            #expect(plan.reading.formation.first(where: \.isWeb)?.command == web)
            #expect(plan.values["install"] == install)
            #expect(plan.stages.map(\.stage.name) == layers + [""])
            for text in says { #expect(plan.notes.contains { $0.contains(text) }, "\(plan.notes)") }
            let again = try BuildPlan(repository.tree, packs: packs)
            #expect(again.digest == plan.digest && again.stages.map(\.key) == plan.stages.map(\.key), "the same tree gives the same plan")
        case .refused(let message, let hint):
            let error = try #require(throws: MoorError.self) { try BuildPlan(repository.tree, packs: packs) }
            #expect(error.code == .appFailed || error.code == .invalid)
            #expect(error.message.contains(message), "\(error.message)")
            #expect(error.hint?.contains(hint) == true || hint.isEmpty, "\(error.hint ?? "no hint")")
        }
    }
}
