"""From the start of `git push` to the first 200 of the new release, beside a bare `podman run` of the same image to its first."""

import contextlib
import http.client
import os
import secrets
import shutil
import subprocess
import time

from support import sweep
from support.platform import ROOT, free_port, wait_for
from support.repository import Repository
from support.viewer import Viewer

PAIRS = int(os.environ.get("BENCH_PAIRS", 7))
ROUTE = '\n\nserver = app.server if hasattr(app, "server") else app\n\n\n@server.route("/release")\ndef bench_release():\n    return "{mark}"\n'


def first_answer(host, port, path, wanted, headers=(), seconds=60):
    """Asks every few milliseconds until 200 and the wanted body. Returns the second it came."""
    deadline = time.monotonic() + seconds
    connection = None
    while time.monotonic() < deadline:
        try:
            connection = connection or http.client.HTTPConnection(host, port, timeout=5)
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200 and wanted in body:
                connection.close()
                return time.monotonic()
        except (OSError, http.client.HTTPException):
            with contextlib.suppress(Exception):
                connection.close()
            connection = None
        time.sleep(0.005)
    raise AssertionError(f"no answer with {wanted} within {seconds} s")


def pushed(platform, repository, source, cookie):
    """Seconds of one push with a changed app.py."""
    mark = secrets.token_hex(8)
    (repository.folder / "app.py").write_text(source + ROUTE.format(mark=mark))
    repository.commit("Change")
    headers = {"Host": f"{repository.app}.localhost:{platform.port}", "Cookie": cookie}
    begin = time.monotonic()
    push = repository.start_push()
    end = first_answer("127.0.0.1", platform.port, "/release", mark.encode(), headers)
    finished = push.finish()
    assert finished.ok, finished.text
    return end - begin, mark


def run_bare(platform, container, mark):
    """Seconds of `podman run` with the same image, command and environment in the same storage."""
    inspected = platform.engine_api(f"/containers/{container['Id']}/json")
    config = inspected["Config"]
    port = free_port()
    name = f"bench-{secrets.token_hex(4)}"
    inside = next(value for value in config["Env"] if value.startswith("PORT=")).removeprefix("PORT=")
    words = ["podman", *platform.engine["arguments"], "run", "--detach", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:{inside}"]
    words += [f"--env={value}" for value in config["Env"]]
    # Where root may not raise limits, no container starts with Podman's default ones.
    for limit in inspected["HostConfig"].get("Ulimits") or []:
        words += [f"--ulimit={limit['Name'].lower().removeprefix('rlimit_')}={limit['Soft']}:{limit['Hard']}"]
    entry = config.get("Entrypoint") or []
    if entry:
        words += ["--entrypoint", entry[0]]
    words += [inspected["Image"], *entry[1:], *(config["Cmd"] or [])]
    begin = time.monotonic()
    started = subprocess.Popen(
        words, env=os.environ | platform.engine["environment"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        end = first_answer("127.0.0.1", port, "/release", mark.encode())
    finally:
        complaint = started.communicate(timeout=60)[1]
        sweep.podman(platform.engine, "rm", "--force", "--time", "0", name)
        assert started.returncode == 0, complaint.decode()
    return end - begin


def measure(platform, scratch):
    """Yields (name, peer, aim, better, pairs, unit)."""
    repository = Repository(scratch / "push" / "checkout", platform, "example")
    shutil.copytree(ROOT / "buildpacks/pip/example", repository.folder, dirs_exist_ok=True)
    source = (repository.folder / "app.py").read_text()
    repository.deploy("The first push builds the dependencies")
    cookie = Viewer(platform).sign_in("example").cookies_for("example")
    pairs = []
    for number in range(PAIRS + 1):
        ours, mark = pushed(platform, repository, source, cookie)
        # Alone on the machine: the old replica has drained and is gone.
        wait_for(lambda: len(platform.containers("example")) == 1, "the old replica's end", 60)
        [container] = platform.containers("example")
        theirs = run_bare(platform, container, mark)
        print(f"push to live {ours:.2f} s, podman run {theirs:.2f} s{'' if number else ' (not counted)'}", flush=True)
        if number:  # the first pair warms caches
            pairs.append((ours, theirs))
    subject = subprocess.run(["podman", "--version"], capture_output=True, text=True).stdout.strip()
    peer = f"{subject}: podman run of the same image, to its first 200"
    yield "push to live, dependencies unchanged, of podman run", peer, 2.0, "lower", pairs, "s"
