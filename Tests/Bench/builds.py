"""What Builds takes and makes, beside what a person would write by hand for the same engine."""

import os
import secrets
import shutil
import subprocess
import time

from support.platform import ROOT
from support.repository import Repository

PAIRS = int(os.environ.get("BENCH_PAIRS", 5))
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# Forty packages that data apps have, pure and compiled, small and large; the last one changes.
FORTY = """
attrs==24.2.0 blinker==1.8.2 certifi==2024.8.30 charset-normalizer==3.3.2 click==8.1.7 colorama==0.4.6 cycler==0.12.1
dash==2.18.1 diskcache==5.6.3 flask-caching==2.3.0 fonttools==4.54.1 greenlet==3.1.1 gunicorn==23.0.0 idna==3.10
itsdangerous==2.2.0 jinja2==3.1.4 joblib==1.4.2 kiwisolver==1.4.7 markdown==3.7 markupsafe==2.1.5 narwhals==1.9.1
networkx==3.3 numpy==2.1.1 openpyxl==3.1.5 packaging==24.1 pandas==2.2.3 pillow==10.4.0 plotly==5.24.1 psutil==6.0.0
pyarrow==17.0.0 pydantic==2.9.2 pyparsing==3.1.4 python-dateutil==2.9.0 pyyaml==6.0.2 requests==2.32.3 scipy==1.14.1
sqlalchemy==2.0.35 threadpoolctl==3.5.0 toolz==0.12.1 tqdm==4.66.5
""".split()


def seconds_of_build(platform, app):
    """From the build's row to its end, as the platform notes it."""
    [row] = platform.rows(
        "SELECT builds.startedAt AS began, builds.endedAt AS ended FROM builds JOIN pushes ON pushes.id = pushID JOIN apps ON apps.id = appID"
        " WHERE apps.name = ? ORDER BY builds.id DESC LIMIT 1",
        app,
    )
    return row["ended"] - row["began"]


def podman(platform, *words, **more):
    return subprocess.run(
        ["podman", *platform.engine["arguments"], *words], env=os.environ | platform.engine["environment"], check=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def build_by_hand(platform, folder, containerfile, tag):
    """Seconds of `podman build` of the folder in the platform's own storage."""
    limit = 20_000
    words = ["build", "--layers", "--file", containerfile, "--tag", tag, f"--ulimit=nofile={limit}:{limit}", f"--ulimit=nproc={limit}:{limit}"]
    if os.path.exists(CERTIFICATES):
        words.append(f"--volume={CERTIFICATES}:{CERTIFICATES}:ro")
    begin = time.monotonic()
    podman(platform, *words, str(folder), timeout=600)
    return time.monotonic() - begin


def unchanged_dependencies(platform, scratch):
    repository = Repository(scratch / "builds" / "checkout", platform, "unchanged")
    shutil.copytree(ROOT / "buildpacks/pip/example", repository.folder, dirs_exist_ok=True)
    source = (repository.folder / "app.py").read_text()
    repository.deploy("The first push builds the dependencies")
    base = next(tag for image in platform.images() for tag in image.get("RepoTags") or [] if "moor-base:" in tag)
    file = scratch / "builds" / "Containerfile"
    file.write_text(
        f"FROM {base}\nENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin VIRTUAL_ENV=/opt/venv UV_COMPILE_BYTECODE=1 UV_SYSTEM_CERTS=1\n"
        "WORKDIR /app\nCOPY requirements.txt /app/\n"
        "RUN uv venv --quiet /opt/venv && uv pip install --no-cache --requirement requirements.txt gunicorn\n"
        "COPY --chown=10001:10001 . /app/\nUSER 10001:10001\nCMD gunicorn app:server --bind 0.0.0.0:5000\n")
    pairs = []
    for number in range(PAIRS + 1):
        (repository.folder / "app.py").write_text(source + f"\n# {secrets.token_hex(8)}\n")
        repository.commit("Change")
        push = repository.push()
        assert push.ok, push.text
        ours = seconds_of_build(platform, repository.app)
        theirs = build_by_hand(platform, repository.folder, file, "localhost/bench-by-hand:1")
        print(f"build with unchanged dependencies {ours:.2f} s, podman build {theirs:.2f} s{'' if number else ' (not counted)'}", flush=True)
        if number:  # the first one installs by hand
            pairs.append((ours, theirs))
    return pairs


def one_of_forty(platform, scratch):
    pairs = []
    for number in range(PAIRS):
        repository = Repository(scratch / "forty" / str(number), platform, f"forty-{number}")
        seconds = []
        # A new app has no cache: all is downloaded and installed.
        for last in (FORTY[-1], "tqdm==4.66.4"):
            repository.write(
                requirements_txt="\n".join([*FORTY[:-1], last]) + "\n",
                Procfile="web: python -m http.server $PORT --bind 0.0.0.0\n")
            repository.commit(last)
            push = repository.push()
            assert push.ok, push.text
            seconds.append(seconds_of_build(platform, repository.app))
        print(f"one of forty packages changed {seconds[1]:.2f} s, all installed {seconds[0]:.2f} s", flush=True)
        pairs.append((seconds[1], seconds[0]))
    return pairs


def image_size(platform, scratch):
    """The example on ours and on a base as the `python:3-slim` images are made: Debian's minimum without documentation, and Python."""
    folder = scratch / "slim"
    folder.mkdir()
    archive = folder / "slim.tar"
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "info", "locale")]
    clean = '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*'
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates,python3,python3-venv", *excluded, clean, "bookworm", str(archive),
         "/etc/apt/sources.list.d/debian.sources" if os.path.exists("/etc/apt/sources.list.d/debian.sources") else "/etc/apt/sources.list"],
        check=True, env=os.environ | {"TMPDIR": str(folder)})
    podman(platform, "import", str(archive), "localhost/bench-slim:1")
    archive.unlink()
    file = folder / "Containerfile"
    file.write_text(
        "FROM localhost/bench-slim:1\nWORKDIR /app\nENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin\nCOPY requirements.txt /app/\n"
        "RUN python3 -m venv /opt/venv && pip install --no-cache-dir --quiet --requirement requirements.txt gunicorn\n"
        "COPY . /app/\nCMD gunicorn app:server --bind 0.0.0.0:5000\n")
    build_by_hand(platform, ROOT / "buildpacks/pip/example", file, "localhost/bench-slim-app:1")
    sizes = {tag: image["Size"] for image in platform.images() for tag in image.get("RepoTags") or []}
    [live] = platform.rows(
        "SELECT images.reference FROM images JOIN releases ON releases.imageID = images.id JOIN apps ON apps.liveReleaseID = releases.id"
        " WHERE apps.name = 'unchanged'")
    ours, theirs = sizes[live["reference"]], sizes["localhost/bench-slim-app:1"]
    print(f"image {ours >> 20} MiB, by hand {theirs >> 20} MiB", flush=True)
    return [(ours / 2**20, theirs / 2**20)]


def measure(platform, scratch):
    """Yields (name, peer, aim, better, pairs, unit)."""
    yield (
        "build of a push, dependencies unchanged, of podman build", "podman build of an equivalent Containerfile in the same storage", 1.0, "lower",
        unchanged_dependencies(platform, scratch), "s")
    yield "build with one of forty packages changed, of a full install", "the same app's first build", 0.35, "lower", one_of_forty(platform, scratch), "s"
    yield (
        "size of the app's image, of one made by hand", "Debian's minimum with Python, and pip, as python:3-slim", 1.0, "lower",
        image_size(platform, scratch), "MiB")
