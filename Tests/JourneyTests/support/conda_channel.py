"""A small conda channel for tests, made from nothing but Python: conda packages (CEP 26's older .tar.bz2) of a Python that is
the base image's own, of wheels, and of a few empty ones that contradict each other; served over HTTP.

    conda_channel.py make FOLDER              writes FOLDER/linux-64 and FOLDER/noarch, where they are not there yet
    conda_channel.py serve FOLDER [USER:PASS [PORT]]  serves it until its standard input ends, and prints the port: else any
"""

import base64
import email.parser
import hashlib
import http.server
import io
import json
import pathlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile

PYTHON = "3.11.2"
# What the buildpack's example asks for.
WHEELS = ["flask==3.1.2", "numpy==2.3.5"]
SITE = "lib/python3.11/site-packages/"


def add(channel, name, version, files, depends=(), noarch=False, build=0, scripts=()):
    """Writes one package. `files` maps paths to bytes, or to a string that is a link's target."""
    subdir = "noarch" if noarch else "linux-64"
    index = {
        "name": name, "version": version, "build": f"py_{build}" if noarch else f"h0_{build}", "build_number": build,
        "depends": list(depends), "subdir": subdir, "license": "MIT", "timestamp": 1700000000000,
    }
    if noarch:
        index["noarch"] = "python"
    paths = []
    for path, content in files.items():
        link = isinstance(content, str)
        data = b"" if link else content
        paths.append({
            "_path": path, "path_type": "softlink" if link else "hardlink", "sha256": hashlib.sha256(data).hexdigest(),
            "size_in_bytes": len(data)})
    info = {
        "info/index.json": json.dumps(index).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
        "info/about.json": b"{}",
        "info/files": "\n".join(files).encode(),
    }
    if noarch:
        info["info/link.json"] = json.dumps(
            {"noarch": {"type": "python", "entry_points": list(scripts)}, "package_metadata_version": 1}).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:bz2", compresslevel=1) as tar:
        for path, content in {**info, **files}.items():
            member = tarfile.TarInfo(path)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                tar.addfile(member)
            else:
                member.size, member.mode = len(content), 0o755 if path.startswith("bin/") else 0o644
                tar.addfile(member, io.BytesIO(content))
    data = archive.getvalue()
    folder = channel / subdir
    file = f"{name}-{version}-{index['build']}.tar.bz2"
    (folder / file).write_bytes(data)
    repodata = folder / "repodata.json"
    known = json.loads(repodata.read_text())
    known["packages"][file] = index | {
        "md5": hashlib.md5(data).hexdigest(), "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    repodata.write_text(json.dumps(known))


def add_wheel(channel, path):
    with zipfile.ZipFile(path) as wheel:
        pure = path.name.endswith("-none-any.whl")
        files = {}
        metadata = entry_points = None
        for name in wheel.namelist():
            if name.endswith("/"):
                continue
            data = wheel.read(name)
            if name.endswith(".dist-info/METADATA"):
                metadata = email.parser.BytesParser().parsebytes(data)
            if name.endswith(".dist-info/entry_points.txt"):
                entry_points = data.decode()
            # pip would ask for each file of a package that it is to replace.
            if not name.endswith(".dist-info/RECORD"):
                files[("site-packages/" if pure else SITE) + name] = data
        depends = ["python >=3.11,<3.12.0a0"]
        for line in metadata.get_all("Requires-Dist") or []:
            if ";" not in line:
                depends.append(re.match(r"[A-Za-z0-9._-]+", line)[0].lower().replace("_", "-"))
        scripts = re.findall(r"^(\w[\w.-]* *= *[\w.]+:\w+)", (entry_points or "").split("[console_scripts]")[-1], re.M) if pure else []
        add(channel, metadata["Name"].lower().replace("_", "-"), metadata["Version"], files, depends, noarch=pure, scripts=scripts)


def download(folder):
    subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
    subprocess.run(
        [f"{folder}/venv/bin/pip", "download", "--quiet", "--disable-pip-version-check", "--dest", f"{folder}/wheels",
         "--only-binary", ":all:", "--python-version", "3.11", *WHEELS], check=True)
    return pathlib.Path(folder, "wheels")


def make(channel, wheels):
    for subdir in ["linux-64", "noarch"]:
        (channel / subdir).mkdir(parents=True)
        (channel / subdir / "repodata.json").write_text(
            json.dumps({"info": {"subdir": subdir}, "packages": {}, "packages.conda": {}, "repodata_version": 1}))
    # The base image's Python, in the shape of a conda environment's own.
    add(channel, "python", PYTHON, {
        "bin/python": "/usr/bin/python3", "bin/python3": "python", "bin/python3.11": "python",
        "pyvenv.cfg": b"home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"})
    for version in ["1.0", "2.0"]:
        add(channel, "tides", version, {"site-packages/tides.py": f"version = '{version}'\n".encode()}, ["python"], noarch=True)
    add(channel, "harbour", "1.0", {"site-packages/harbour.py": b""}, ["tides <2"], noarch=True)
    add(channel, "pier", "1.0", {"site-packages/pier.py": b""}, ["tides >=2"], noarch=True)
    for wheel in sorted(wheels.glob("*.whl")):
        add_wheel(channel, wheel)


def serve(folder, credentials="", port="0"):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *arguments):
            pass

        def send_head(self):
            given = self.headers.get("Authorization", "")
            if credentials and given != "Basic " + base64.b64encode(credentials.encode()).decode():
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="channel"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            return super().send_head()

    server = http.server.ThreadingHTTPServer(("0.0.0.0", int(port)), Handler)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if sys.argv[1] == "serve":
    serve(*sys.argv[2:])
elif not os.path.exists(sys.argv[2]):
    with tempfile.TemporaryDirectory(dir=pathlib.Path(sys.argv[2]).parent) as folder:
        make(pathlib.Path(folder, "channel"), download(folder))
        try:
            # Whole or not at all: others may make it at the same time.
            os.rename(f"{folder}/channel", sys.argv[2])
        except OSError:
            if not os.path.exists(sys.argv[2]):
                raise
