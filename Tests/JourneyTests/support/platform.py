"""`moor serve` as one test run has it: its own data folder, port and engine."""

import contextlib
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import httpx

from . import sweep

ROOT = pathlib.Path(__file__).resolve().parents[3]
MOOR = pathlib.Path(os.environ.get("JOURNEY_BINARY", ROOT / ".build/debug/moor"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=60, every=0.05):
    """Polls what cannot be waited for in another way. Returns the condition's value."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(every)


class Platform:
    def __init__(self, scratch, name="platform", data=None, environment=None, listen="127.0.0.1"):
        self.folder = pathlib.Path(scratch) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = pathlib.Path(data or self.folder / "data")
        self.listen, self.port = listen, free_port()
        self.password = secrets.token_urlsafe(12)
        self.log_path = self.folder / "moor.log"
        self.process = None
        self.engine = None
        self.environment = environment or {}
        self.binary = MOOR

    # The process

    def variables(self):
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("MOOR_")},
            "MOOR_LISTEN": f"{self.listen}:{self.port}",
            "MOOR_DATA": str(self.data),
            "MOOR_ADMIN_PASSWORD": self.password,
            "MOOR_DEMO": "0",
            **self.environment,
        }

    def spawn(self, *arguments, **extra):
        """Another `moor serve` with this one's settings, not waited for."""
        return subprocess.Popen(
            [self.binary, "serve", "--config", str(ROOT / "config/moorage.yaml"), *arguments],
            cwd=ROOT, env=self.variables() | extra, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )

    def start(self, *arguments, seconds=240):
        assert self.process is None or self.process.poll() is not None
        begin = len(self.log())
        self.process = self.spawn(*arguments)
        log = open(self.log_path, "ab")
        threading.Thread(target=self._keep, args=(self.process.stdout, log), daemon=True).start()
        try:
            wait_for(lambda: self._answers() and "is up at" in self.log()[begin:], "an answer of the panel", seconds)
            wait_for(self._note_engine, "the engine's start", 30)
        except BaseException:
            print(self.log()[-8000:])
            raise
        return self

    def _keep(self, pipe, log):
        with log:
            for line in pipe:
                log.write(line)
                log.flush()

    def _answers(self):
        assert self.process.poll() is None, f"moor serve ended with {self.process.returncode}:\n{self.log()[-4000:]}"
        try:
            return httpx.get(self.url("/api/v1/openapi.json"), timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def _note_engine(self):
        """How our platform runs its Podman, kept beside the data so that a sweep can use it after a crash."""
        for pid in self.engine_pids():
            self.engine = sweep.engine_of(pid)
            (self.folder / "engine.json").write_text(json.dumps(self.engine))
            words = sweep.read(f"/proc/{pid}/cmdline").decode().split("\0")
            self.engine["socket"] = next(word for word in words if word.startswith("unix://")).removeprefix("unix://")
            return os.path.exists(self.engine["socket"])
        return False

    def engine_pids(self):
        """Podman services whose storage is in our data folder."""
        engines = {int(entry): sweep.engine_of(entry) for entry in os.listdir("/proc") if entry.isdigit()}
        ours = str(self.data)
        return [pid for pid, engine in engines.items() if engine and engine["kind"] == "service" and (sweep.option(engine, "--root") or "").startswith(ours)]

    def stop(self, number=signal.SIGTERM, seconds=90):
        """Asks it to stop. Returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"moor serve did not stop within {seconds} s of {number!r}:\n{self.log()[-4000:]}")
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()

    def remove(self):
        """Stops it and takes away every container, network, mount, firewall rule and file of it."""
        with contextlib.suppress(AssertionError):
            self.stop()
        if kept := os.environ.get("JOURNEY_KEEP_LOG"):
            pathlib.Path(kept).write_text(self.log())
        platforms = sweep.platforms_below(self.data)
        if self.engine:
            sweep.remove_engine(self.engine)
        for pid in self.engine_pids():
            sweep.kill(pid, signal.SIGTERM)
        sweep.remove_traces(platforms)
        sweep.remove_folder(self.data)
        sweep.remove_folder(self.folder)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def rss(self):
        """Resident memory in bytes."""
        return int(re.search(rb"VmRSS:\s+(\d+) kB", sweep.read(f"/proc/{self.process.pid}/status"))[1]) * 1024

    # Addresses

    def url(self, path="/"):
        return f"http://localhost:{self.port}{path}"

    def app_url(self, app, path="/"):
        return f"http://{app}.localhost:{self.port}{path}"

    def remote(self, app):
        return self.url(f"/git/{app}.git")

    # What it keeps, seen from outside

    def rows(self, sql, *arguments):
        database = next(self.data.glob("*.sqlite"))
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, arguments)]

    def engine_api(self, path, method="GET", **parameters):
        with httpx.Client(transport=httpx.HTTPTransport(uds=self.engine["socket"]), timeout=60) as client:
            answer = client.request(method, f"http://engine/v1.41{path}", params=parameters)
            answer.raise_for_status()
            return answer.json() if answer.content else None

    def containers(self, app=None):
        """Every container in the platform's engine, also ended ones; with `app`, those of the app."""
        found = self.engine_api("/containers/json", all="1")
        if app is None:
            return found
        return [c for c in found if app in [*c["Labels"].values()] or any(f"-{app}-" in f"-{n.strip('/')}-" for n in c["Names"])]

    def images(self):
        """Podman 4.3 answers 500 where an image goes while it lists them."""
        for _ in range(20):
            with contextlib.suppress(httpx.HTTPStatusError):
                return self.engine_api("/images/json")
            time.sleep(0.1)
        return self.engine_api("/images/json")

    def building(self):
        """Processes of the slow-build sample's build: those that run its backend on a root in the engine's storage."""
        pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and b"backend" in sweep.read(f"/proc/{entry}/cmdline")]
        return [pid for pid in pids if str(self.data).encode() in sweep.root_mount(pid)]

    # The API

    def api(self, method, path, user="admin", password=None, **extra):
        return httpx.request(
            method, self.url(f"/api/v1{path}"), auth=(user, password or self.password), timeout=120, **extra
        )


class Command:
    """The `moor` command line of one person, with a home of its own."""

    def __init__(self, platform, home):
        self.platform = platform
        self.home = pathlib.Path(home)
        self.home.mkdir(parents=True, exist_ok=True)

    def __call__(self, *arguments, cwd=None, check=True, input=None, seconds=120):
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("MOOR_", "XDG_"))}
        result = subprocess.run(
            [self.platform.binary, *arguments], cwd=cwd or self.home, env=variables | {"HOME": str(self.home)},
            input=input, capture_output=True, text=True, timeout=seconds,
        )
        if check:
            assert result.returncode == 0, f"moor {' '.join(arguments)}: {result.returncode}\n{result.stdout}\n{result.stderr}"
        return result

    def json(self, *arguments, **extra):
        """What it says with --json: one value, or for what comes line by line the last."""
        said = self(*arguments, "--json", **extra).stdout
        try:
            return json.loads(said) if said.strip() else None
        except ValueError:
            return json.loads(said.strip().splitlines()[-1])

    def sign_in(self, username="admin", password=None):
        self("login", self.platform.url(""), "--user", username, "--password-stdin", input=(password or self.platform.password) + "\n")
        return self
