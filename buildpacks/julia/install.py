"""Gets Julia, and with it the packages of the app, inside its build.

The base image's own julia is taken where it fits; else one is fetched from the platform's setting julia.url, which comes as
MOOR_JULIA_URL and has the layout of the Julia project's downloads: bin/versions.json, and bin/linux/… with the archives.

A line that begins with "moor-error: " is what the pusher is told, and one with "moor-hint: " what to do about it.
"""

import base64
import hashlib
import http.client
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.error
import urllib.parse
import urllib.request

APP = pathlib.Path("/app")
PREFIX = pathlib.Path("/opt/julia")
DEPOT = pathlib.Path("/opt/depot")
CACHE = pathlib.Path("/var/cache/julia")
ADMIN = "the platform's admin can set julia.url to a mirror that builds reach, or base.image to an image that has julia"


def stop(error, hint):
    print(f"moor-error: {' '.join(error.split())}", flush=True)
    print(f"moor-hint: {' '.join(hint.split())}", flush=True)
    sys.exit(1)


def say(line):
    print(line, flush=True)


def line_of(file, pattern):
    """Where in a file a line like that is, for messages."""
    for number, line in enumerate((APP / file).read_text("utf-8-sig", "replace").splitlines(), 1):
        if re.search(pattern, line):
            return f"{file} line {number}"
    return file


def place_of(package):
    return line_of("Project.toml", rf"^\s*{re.escape(package)}\s*=")


def read(file):
    if not (APP / file).exists():
        return {}
    try:
        return tomllib.loads((APP / file).read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        text, _, place = str(error).partition(" (at line ")
        number = f" line {place.split(',')[0]}" if place else ""
        stop(f"{file}{number} is not TOML: {text}", "check its quotes and brackets")


def numbers(text):
    return tuple(int(part) for part in text.split("."))


def bounds(clause):
    """The versions that one clause of a [compat] entry allows ("Compatibility" in Pkg's documentation), as [from, before)."""
    clause = clause.strip()
    ends = [end.strip() for end in clause.split(" - ")]
    if len(ends) == 2:
        below = list(numbers(ends[1]))
        below[-1] += 1
        return numbers(ends[0]), tuple(below)
    match = re.fullmatch(r"(\^|~|=|>=|≥|<)?\s*v?(\d{1,4}(?:\.\d{1,4}){0,2})", clause)
    if not match:
        raise ValueError(clause)
    sign, given = match[1] or "^", numbers(match[2])
    if sign in (">=", "≥"):
        return given, (10**9,)
    if sign == "<":
        return (0,), given
    if sign == "=":
        kept = len(given)
    elif sign == "~":
        kept = min(2, len(given))
    else:
        # The first number that is not zero may not change.
        kept = next((index for index, number in enumerate(given) if number), len(given) - 1) + 1
    below = list(given[:kept])
    below[-1] += 1
    return given, tuple(below)


def fits(version, clauses):
    return any(low <= numbers(version) < high for low, high in clauses)


def wanted():
    """What of Julia's versions the project can be with, the very one that its manifest was made with, and where they stand."""
    project, manifest = read("Project.toml"), read("Manifest.toml")
    asked = project.get("compat", {}).get("julia")
    place = line_of("Project.toml", r"^\s*julia\s*=")
    try:
        clauses = [bounds(clause) for clause in asked.split(",")] if asked else [((1,), (2,))]
    except (ValueError, AttributeError):
        stop(f"{place}: “{asked}” cannot be read", 'write it as julia = "1.10"')
    return asked or "1", clauses, manifest.get("julia_version"), place if asked else "Project.toml"


def own():
    """The version of the base image's julia; None where there is none."""
    if not shutil.which("julia"):
        return None
    said = subprocess.run(["julia", "--version"], capture_output=True, text=True).stdout
    match = re.search(r"\d+\.\d+\.\d+", said)
    return match[0] if match else None


def without_login(url):
    return re.sub(r"//[^/@]*@", "//", url)


def open_url(url):
    """A response; None where there is no such file."""
    request = urllib.request.Request(url)
    parts = urllib.parse.urlsplit(url)
    if parts.username:
        login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        request = urllib.request.Request(without_login(url))
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        return urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        stop(f"Julia could not be fetched: {without_login(url)} answers {error.code} {error.reason}", ADMIN)
    except (OSError, http.client.HTTPException) as error:
        stop(f"Julia could not be fetched from {without_login(url)}: {getattr(error, 'reason', error)}", ADMIN)


def published(site):
    """The stable versions for this machine: version to archive."""
    answer = open_url(f"{site}/bin/versions.json")
    if answer is None:
        stop(f"Julia could not be fetched: there is no {without_login(site)}/bin/versions.json", ADMIN)
    try:
        known = json.load(answer)
        return {
            version: file for version, entry in known.items() if entry.get("stable") for file in entry["files"]
            if file["kind"] == "archive" and file["triplet"] == f"{platform.machine()}-linux-gnu" and file["extension"] == "tar.gz"}
    except (ValueError, KeyError, AttributeError, TypeError, OSError, http.client.HTTPException):
        stop(f"{without_login(site)}/bin/versions.json is not a list of Julia's versions", ADMIN)


def fetch(site, file):
    """The archive, from the cache where it is there and whole."""
    # A mirror has the same paths as the site that the list names.
    url = site + urllib.parse.urlsplit(file["url"]).path
    CACHE.mkdir(parents=True, exist_ok=True)
    archive = CACHE / pathlib.PurePosixPath(urllib.parse.urlsplit(url).path).name
    for attempt in ["kept", "fetched"]:
        if attempt == "fetched":
            answer = open_url(url)
            if answer is None:
                stop(f"Julia could not be fetched: there is no {without_login(url)}", ADMIN)
            try:
                with open(f"{archive}.part", "wb") as part:
                    shutil.copyfileobj(answer, part, 1 << 20)
            except (OSError, http.client.HTTPException) as error:
                stop(f"Julia could not be fetched from {without_login(url)}: {error}", ADMIN)
            os.replace(f"{archive}.part", archive)
        if not archive.exists():
            continue
        if not file.get("sha256"):
            say("no SHA-256 is published for it: it is taken as it is")
            return archive
        with open(archive, "rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == file["sha256"].lower():
                return archive
    archive.unlink()
    stop(f"what {without_login(url)} gives is not what its published SHA-256 says", "push again; if it stays so, " + ADMIN)


def provide():
    asked, clauses, exact, place = wanted()
    have = own()
    if have and fits(have, clauses):
        return say(f"using Julia {have} of the base image")
    site = os.environ.get("MOOR_JULIA_URL", "https://julialang-s3.julialang.org").rstrip("/")
    versions = published(site)
    good = [version for version in versions if fits(version, clauses)]
    if not good:
        newest = sorted(versions, key=numbers, reverse=True)[:5]
        stop(f"{place} asks for Julia {asked}; there is {', '.join(newest) or 'none for this machine'}", "ask for one of these")
    version = exact if exact in good else max(good, key=numbers)
    archive = fetch(site, versions[version])
    shutil.rmtree(PREFIX, ignore_errors=True)
    PREFIX.mkdir(parents=True)
    done = subprocess.run(
        ["tar", "--extract", "--file", archive, "--strip-components=1", "--no-same-owner", "--directory", PREFIX],
        capture_output=True, text=True)
    if done.returncode or not os.access(PREFIX / "bin/julia", os.X_OK):
        stop(f"what {without_login(site)} gives for Julia {version} cannot be unpacked: {done.stderr[-200:]}", ADMIN)
    say(f"using Julia {version}")


def instantiate():
    environment = os.environ | {"JULIA_DEPOT_PATH": f"{DEPOT}:", "JULIA_PROJECT": str(APP), "JULIA_PKG_PRECOMPILE_AUTO": "0"}
    # The app itself is not there yet, so what cannot be compiled without it is left to its start.
    program = "using Pkg; Pkg.instantiate(); try Pkg.precompile() catch; end; Pkg.status()"
    command = [shutil.which("julia") or "julia", "--startup-file=no", "--history-file=no", "--color=no", "-e", program]
    said = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as run:
        for line in run.stdout:
            # Pkg hides the cursor even where there is no terminal.
            said.append(re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", line).rstrip())
            say(said[-1])
    for folder in ["registries", "logs", "clones"]:
        shutil.rmtree(DEPOT / folder, ignore_errors=True)
    if run.returncode:
        explain("\n".join(said))


def explain(text):
    error = re.search(r"^ERROR: (?:LoadError: )?(.*)", text, re.M)
    error = error[1] if error else "it gave no reason"
    unknown = re.search(r"expected package `(\S+) \[\w+\]` to be registered", text)
    if unknown:
        stop(
            f"{place_of(unknown[1])}: there is no package {unknown[1]} in Julia's registry",
            "check its name and UUID: Pkg.add writes both")
    clash = re.search(r"Unsatisfiable requirements detected for package (\S+)", text)
    if clash:
        stop(
            f"{place_of(clash[1])}: no version of {clash[1]} fits the others",
            "loosen [compat]; Pkg's reasoning stands above")
    if "No download engines found" in text:
        stop(
            "Julia before 1.6 fetches packages with curl, which is not there",
            "write curl into a file named apt-packages, or ask for a newer julia under [compat]")
    if re.search(r"[Cc]ould not download|[Ff]ailed to (clone|download|fetch)|[Cc]ould not resolve host|RequestError", text):
        stop(
            f"Pkg could not fetch what the project asks for: {error}",
            "try again; if builds reach no package server, name one that they do: moor config set --build JULIA_PKG_SERVER=https://…")
    stop(f"Pkg could not install what the project asks for: {error}", "the lines above are Pkg's own")


provide()
instantiate()
