"""Makes the conda environment of an app, inside its build: solved and installed by rattler, then pip's part by uv.

    install.py PREFIX [PACKAGE…]

reads what /app has of conda-lock.yml, environment.yml, environment.yaml and conda-requirements.txt, in this order; PACKAGE is
installed where the environment did not bring it (gunicorn for a Flask app). The platform's settings come as
MOOR_CONDA_CHANNELS (names or URLs; for apps that name no channel) and MOOR_CONDA_MIRRORS (CHANNEL=URL …).

A line that begins with "moor-error: " is what the pusher is told, and one with "moor-hint: " what to do about it.
"""

import asyncio
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import rattler
import yaml
from rattler.exceptions import GatewayError, SolverError
from rattler.networking import middleware

APP = pathlib.Path("/app")
CACHE = pathlib.Path("/var/cache/conda")
PLATFORMS = ["linux-64", "noarch"]
# Packages that are built against CUDA ask for a driver, which no build has: only replicas do.
CUDA = {"pytorch-cuda", "pytorch-gpu", "tensorflow-gpu", "cuda-version", "cudatoolkit", "cuda-toolkit", "cupy", "cudf", "cuml", "rapids"}


def stop(error, hint):
    print(f"moor-error: {' '.join(error.split())}", flush=True)
    print(f"moor-hint: {' '.join(hint.split())}", flush=True)
    sys.stdout.flush()
    # rattler's threads do not survive the interpreter's own way out.
    os._exit(1)


def say(line):
    print(line, flush=True)


def line_of(file, text):
    """Where in a file a line with that text is, for messages; also a part of it."""
    for number, line in enumerate(read(file).splitlines(), 1):
        if text in line.split("#")[0]:
            return f"{file} line {number}: "
    return f"{file}: "


def read(file):
    raw = (APP / file).read_bytes()
    return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")


def expand(text, file):
    """${NAME} from the app's build config."""
    def value(match):
        if match[1] not in os.environ:
            stop(f"{line_of(file, match[0])}{match[0]} has no value", f"set it: moor config set --build {match[1]}=-")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, text)


class Wanted:
    """What the files ask for."""

    def __init__(self):
        self.file = ""
        self.channels = []
        self.specs = []
        self.pip = []
        self.locked = None


def read_environment(file):
    wanted = Wanted()
    wanted.file = file
    try:
        # Numbers stay as they are written: a version 3.10 is no 3.1.
        written = yaml.load(read(file), yaml.BaseLoader) or {}
    except yaml.YAMLError as error:
        place = f" line {error.problem_mark.line + 1}" if getattr(error, "problem_mark", None) else ""
        stop(f"{file}{place} is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}", "check its indentation and quotes")
    if not isinstance(written, dict) or not isinstance(written.get("dependencies", []), list):
        stop(f"{file} has no list of dependencies", "write “dependencies:” and below it one package a line, such as “  - pandas=2.2”")
    platforms = written.get("platforms") or []
    if platforms and "linux-64" not in platforms:
        stop(f"{line_of(file, 'platforms')}it is made for {', '.join(platforms)}, and apps run on linux-64", "add linux-64 to its platforms")
    for key in ["prefix", "name"]:
        if written.get(key) and key == "prefix":
            say(f"{file}: prefix is of another machine and not used")
    wanted.channels = written.get("channels") or []
    for entry in written.get("dependencies") or []:
        if isinstance(entry, dict):
            wanted.pip += entry.get("pip") or []
        elif entry:
            wanted.specs.append(entry)
    for name, value in (written.get("variables") or {}).items():
        say(f"{file}: variables are not read: moor config set {name}={value}")
    return wanted


def read_requirements(file):
    """Dash Enterprise 4's conda-requirements.txt: one specification a line; requirements.txt beside it is for pip."""
    wanted = Wanted()
    wanted.file = file
    for raw in read(file).splitlines():
        line = raw.split("#")[0].strip()
        match = re.match(r"(?:-c|--channel)[ =](.*)", line)
        if match:
            wanted.channels.append(match[1].strip())
        elif line and not line.startswith("@"):
            wanted.specs.append(line)
    if (APP / "requirements.txt").exists():
        wanted.pip = ["-r requirements.txt"]
    return wanted


def read_lock(file):
    """conda-lock's own format, version 1: every package by its URL and hashes."""
    wanted = Wanted()
    wanted.file = file
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        written = yaml.load(read(file), loader)
        if written.get("version") != 1:
            stop(f"{file} is of version {written.get('version')}, and version 1 is read here", "make it anew: conda-lock lock")
        packages = [entry for entry in written["package"] if entry.get("category", "main") == "main" and not entry.get("optional")]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        stop(f"{file} is not a lock file of conda-lock", "make it anew: conda-lock lock --platform linux-64")
    mine = [entry for entry in packages if entry["platform"] == "linux-64"]
    if packages and not mine:
        others = sorted({entry["platform"] for entry in packages})
        stop(f"{file} locks {', '.join(others)}, and apps run on linux-64", "make it anew: conda-lock lock --platform linux-64")
    wanted.locked = []
    for entry in mine:
        if entry["manager"] == "pip":
            digest = (entry.get("hash") or {}).get("sha256")
            wanted.pip.append(f"{entry['name']} @ {entry['url']}" + (f"#sha256={digest}" if digest else ""))
            continue
        url = entry["url"]
        name = url.rsplit("/", 1)[1]
        stem = re.sub(r"\.(conda|tar\.bz2)$", "", name)
        subdir = url.rsplit("/", 2)[1]
        digests = {kind: bytes.fromhex(value) for kind, value in (entry.get("hash") or {}).items() if kind in ("md5", "sha256")}
        build = stem.rsplit("-", 1)[1]
        number = re.search(r"(\d+)$", build)
        record = rattler.PackageRecord(
            entry["name"], entry["version"], rattler.BuildString(build), int(number[1]) if number else 0, subdir,
            noarch="python" if subdir == "noarch" and is_python(entry) else ("generic" if subdir == "noarch" else None),
            depends=[f"{name} {version}".strip() for name, version in (entry.get("dependencies") or {}).items()], **digests)
        wanted.locked.append((record, name, url))
    return wanted


def is_python(entry):
    return "python" in (entry.get("dependencies") or {})


class Sources:
    """The channels of an app as rattler takes them, and the credentials for them, which are in no URL."""

    def __init__(self, wanted):
        self.logins = {}
        self.file = wanted.file
        names = [name for name in wanted.channels if name != "nodefaults"] or os.environ.get("MOOR_CONDA_CHANNELS", "conda-forge").split()
        self.channels = []
        for name in names:
            for one in ["https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"] if name == "defaults" else [name]:
                self.channels.append(rattler.Channel(self.plain(one), self.configuration()))
        self.mirrors = {}
        for pair in os.environ.get("MOOR_CONDA_MIRRORS", "").split():
            name, _, url = pair.partition("=")
            base = rattler.Channel(name, self.configuration()).base_url.rstrip("/")
            self.mirrors.setdefault(base, []).append(self.plain(url).rstrip("/"))

    def configuration(self):
        return rattler.ChannelConfig(root_dir=str(APP))

    def plain(self, url):
        """The URL without user, password and token, which are kept for the host."""
        scheme, mark, rest = url.partition("://")
        if not mark:
            whole = expand(url, self.file)
            return self.plain(whole) if "://" in whole else whole
        if "${" in rest.partition("?")[2]:
            stop(
                f"{line_of(self.file, url)}a value in a URL's query would be kept in the image",
                "put it before the host, as in https://user:${TOKEN}@host/channel")
        place, slash, path = rest.partition("/")
        # Taken apart before values are filled in, so that a value may hold an @ or a /.
        login, _, place = place.rpartition("@")
        inner, _, place = expand(place, self.file).rpartition("@")
        host = urllib.parse.urlsplit(f"{scheme}://{place}").hostname
        if login or inner:
            user, _, password = (login or inner).partition(":")
            names = {"username": user, "password": password}
            self.logins[host] = {"BasicHTTP": {name: urllib.parse.unquote(expand(text, self.file)) for name, text in names.items()}}
        path = expand(path, self.file)
        token = re.match(r"t/([^/]+)/(.*)", path)
        if token:
            self.logins[host] = {"CondaToken": token[1]}
            path = token[2]
        return f"{scheme}://{place}{slash}{path}"

    def client(self, folder):
        file = pathlib.Path(folder) / "logins.json"
        file.write_text(json.dumps(self.logins))
        os.environ["RATTLER_AUTH_FILE"] = str(file)
        steps = [middleware.RetryMiddleware()]
        if self.mirrors:
            steps.append(middleware.MirrorMiddleware(self.mirrors))
        return rattler.Client(steps + [middleware.AuthenticationMiddleware()])

    def __str__(self):
        return ", ".join(channel.base_url.rstrip("/").removeprefix("https://conda.anaconda.org/") for channel in self.channels)


async def solve(wanted, sources, gateway):
    for spec in wanted.specs:
        try:
            rattler.MatchSpec(spec)
        except Exception as error:
            stop(f"{line_of(wanted.file, spec)}“{spec}” cannot be read: {error}", "a line looks like pandas=2.2 or numpy>=1.26,<3")
        where = spec.split("::")[0].rpartition("/")[2] if "::" in spec else ""
        if re.fullmatch(r"(linux|osx|win)-\w+", where) and where != "linux-64":
            stop(f"{line_of(wanted.file, spec)}“{spec}” is for {where}, and apps run on linux-64", "take the platform out of it")
    names = {rattler.MatchSpec(spec).name.normalized for spec in wanted.specs}
    overrides = rattler.VirtualPackageOverrides.from_env()
    if names & CUDA and not os.environ.get("CONDA_OVERRIDE_CUDA"):
        os.environ["CONDA_OVERRIDE_CUDA"] = "12.9"
        overrides = rattler.VirtualPackageOverrides.from_env()
    virtual = rattler.VirtualPackage.detect(overrides)
    try:
        return await rattler.solve(
            sources.channels, wanted.specs, gateway=gateway, platforms=PLATFORMS, virtual_packages=virtual,
            add_pip_as_python_dependency=False)
    except SolverError as error:
        await explain(str(error), wanted, sources, gateway)
    except GatewayError as error:
        unreachable(error, sources)
    except Exception as error:
        stop(f"{wanted.file} cannot be read: {error}", "a line looks like pandas=2.2 or numpy>=1.26,<3")


async def explain(text, wanted, sources, gateway):
    missing = re.search(r"No candidates were found for (\S+) ?([^\n]*?)\.\s*$", text, re.M)
    lines = [line.rstrip() for line in text.removeprefix("Cannot solve the request because of:").splitlines() if line.strip()]
    for line in lines[:30]:
        say(line.strip("\n"))
    if missing:
        name, version = missing[1], missing[2].strip()
        place = line_of(wanted.file, name)
        known = await gateway.query(sources.channels, PLATFORMS, [name], recursive=False)
        records = [record for records in known for record in records]
        if records:
            versions = sorted({record.version for record in records})
            shown = ", ".join(str(version) for version in versions[-5:])
            stop(f"{place}there is no {name} {version} in {sources}; there is {shown}", "take a version that exists, or leave it out")
        names = await gateway.names(sources.channels, PLATFORMS)
        near = difflib.get_close_matches(name, [entry.normalized for entry in names], 1, 0.75)
        if near:
            stop(f"{place}there is no package {name} in {sources}. Did you mean {near[0]}?", f"write {near[0]} in its place")
        stop(f"{place}there is no package {name} in {sources}", "add the channel that has it, or move it to the pip section")
    asked = [spec for spec in wanted.specs if re.search(rf"(?<![\w-]){re.escape(rattler.MatchSpec(spec).name.normalized)}(?![\w-])", text)]
    places = ", ".join(line_of(wanted.file, spec).rstrip(": ") + f" ({spec})" for spec in asked[:4])
    stop(f"these contradict each other: {places or wanted.file}", "loosen one of them; the solver's reasoning stands above")


def unreachable(error, sources):
    text = " ".join(str(error).split())
    found = re.search(r"(https?|file)://[^\s)'\"]+", text)
    # The channel and not one file of it.
    place = re.sub(r"/(linux-64|noarch)(/.*)?$", "", found[0]).rstrip("/") if found else str(sources)
    cause = text.rsplit("Caused by: ", 1)[-1][:200]
    if "hash mismatch" in text:
        stop(f"{found[0] if found else 'a package'} is not the file that is asked for: {cause}", "lock again, or tell the channel's owner")
    if re.search(r"\b(401|403)\b", text):
        if urllib.parse.urlsplit(place).hostname in sources.logins:
            stop(
                f"the conda channel {place} does not take the login that it is given",
                "check the values: moor config list shows their names, moor config set --build NAME=- sets one")
        stop(
            f"the conda channel {place} asks for a login",
            "write it as https://${USER}:${PASSWORD}@… or …/t/${TOKEN}/… and set the values with moor config set --build NAME=-")
    if "404" in text or "No such file" in text or "not found" in text:
        local = place.startswith("file:")
        stop(
            f"there is no conda channel at {place}",
            "one with file:// lies in the repository, as in file:///app/channel" if local else "check the channel's name")
    stop(
        f"the conda channel {place} could not be reached: {cause}",
        "try again; if it stays so, the platform's admin must check conda.channels and conda.mirrors")


async def install(prefix, packages):
    files = ["conda-lock.yml", "environment.yml", "environment.yaml", "conda-requirements.txt"]
    file = next(file for file in files if (APP / file).exists())
    wanted = {"conda-lock.yml": read_lock, "conda-requirements.txt": read_requirements}.get(file, read_environment)(file)
    sources = Sources(wanted)
    # Their logins are known to the client, and in no URL that is kept in the environment.
    urls = [sources.plain(url) for _, _, url in wanted.locked or []]
    with tempfile.TemporaryDirectory() as folder:
        client = sources.client(folder)
        gateway = rattler.Gateway(cache_dir=CACHE / "repodata", client=client)
        if wanted.locked is None:
            if not any(rattler.MatchSpec(spec.split()[0]).name.normalized == "python" for spec in wanted.specs if spec[0] not in "[*"):
                wanted.specs.append("python")
                say(f"{file} names no Python: taking the newest that fits")
            records = await solve(wanted, sources, gateway)
        else:
            records = [
                rattler.RepoDataRecord(record, name, url, url.rsplit("/", 2)[0] + "/")
                for (record, name, _), url in zip(wanted.locked, urls)]
        say(f"{len(records)} packages from {sources if wanted.locked is None else file}")
        for record in sorted(records, key=lambda record: record.name.normalized):
            say(f" + {record.name.normalized}={record.version}")
        try:
            await rattler.install(records, prefix, cache_dir=CACHE / "pkgs", client=client, show_progress=False)
        except Exception as error:
            unreachable(error, sources)
    present = {record.name.normalized for record in records}
    return wanted, [package for package in packages if package not in present]


def run_uv(prefix, wanted, missing):
    lines = [expand(line, wanted.file) for line in wanted.pip]
    asked = {re.split(r"[^\w.-]", line, 1)[0].lower().replace("_", "-") for line in lines}
    lines += [package for package in missing if package not in asked]
    if not lines:
        return
    if not (prefix / "bin/python").exists():
        stop(f"{wanted.file}: there is no Python in the environment, which its pip packages need", "add python to its dependencies")
    with tempfile.NamedTemporaryFile("w", dir=APP, prefix=".pip-", suffix=".txt") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        # What conda brought is there already; pip's packages go beside it.
        code = subprocess.call(
            ["uv", "pip", "install", "--python", str(prefix / "bin/python"), "--requirement", file.name], cwd=APP)
        if code:
            os._exit(code)


def main():
    prefix = pathlib.Path(sys.argv[1])
    wanted, missing = asyncio.run(install(prefix, sys.argv[2:]))
    run_uv(prefix, wanted, missing)
    # rattler lets only root read them; `moor sbom` and the app may.
    for record in prefix.glob("conda-meta/*.json"):
        record.chmod(0o644)
    for site in prefix.glob("lib/python3*/site-packages"):
        subprocess.call([prefix / "bin/python", "-m", "compileall", "-q", "-j", "0", site], stdout=subprocess.DEVNULL)
    sys.stdout.flush()
    os._exit(0)


main()
