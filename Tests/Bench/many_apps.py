"""A hundred apps with one small replica each: what the platform itself takes while nothing happens, and how soon all of them
answer after a cold start, beside `podman run` of the same images one by one."""

import concurrent.futures
import http.client
import os
import pathlib
import secrets
import subprocess
import time

import httpx
from support import sweep
from support.repository import Repository

APPS = int(os.environ.get("BENCH_APPS", 100))
PAIRS = int(os.environ.get("BENCH_COLD_PAIRS", 3))
REST = int(os.environ.get("BENCH_REST", 60))
SERVER = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *words):
        pass

http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
FILES = {
    "requirements.txt": "",
    "server.py": SERVER,
    "Procfile": "web: python server.py\n",
    "moor.yaml": "processes:\n  web:\n    resources: { cpu: 100m, memory: 64Mi }\n",
}


def deploy(platform, scratch):
    names = [f"small-{number}" for number in range(1, APPS + 1)]

    def one(name):
        repository = Repository(scratch / "many" / name / "checkout", platform, name)
        for file, text in FILES.items():
            (repository.folder / file).write_text(text)
        repository.deploy("A small app")
        answer = httpx.put(
            platform.url(f"/api/v1/apps/{name}/access"), json={"mode": "public"}, auth=("admin", platform.password), timeout=30)
        answer.raise_for_status()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, _ in enumerate(pool.map(one, names), 1):
            if number % 20 == 0:
                print(f"{number} small apps are live", flush=True)
    return names


def answers(address, port, host):
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        return answer.status == 200 and answer.read() == b"ok"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def until_all_answer(places, seconds=900):
    """`places`: (address, port, host), each asked in its turn until it gave its 200."""
    places, deadline = list(places), time.monotonic() + seconds
    while places:
        assert time.monotonic() < deadline, f"{len(places)} of the apps do not answer within {seconds} s"
        places = [place for place in places if not answers(*place)]
        time.sleep(0.05)
    return time.monotonic()


def cpu_seconds(pid):
    """Of one process, user and system."""
    fields = sweep.read(f"/proc/{pid}/stat").rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def at_rest(platform):
    """The platform's resident bytes, and the share of a core that it and its engine take."""
    time.sleep(10)
    pids = [platform.process.pid, *platform.engine_pids()]
    before, begin = [cpu_seconds(pid) for pid in pids], time.monotonic()
    time.sleep(REST)
    took = time.monotonic() - begin
    shares = [(cpu_seconds(pid) - earlier) / took for pid, earlier in zip(pids, before)]
    return platform.rss(), shares[0], sum(shares[1:])


def cold_start(platform, names):
    """Seconds from `moor serve` to the last app's first 200 through the gateway."""
    assert not platform.engine_pids(), "the engine still runs"
    begin = time.monotonic()
    platform.start("--stop-apps", seconds=600)
    print(f"  (up after {time.monotonic() - begin:.1f} s)", flush=True)
    return until_all_answer(("127.0.0.1", platform.port, f"{name}.localhost:{platform.port}") for name in names) - begin


def one_by_one(platform, containers):
    """Seconds of `podman run` of the same images with the same caps, all in one network, to the last one's first 200."""
    mark = f"bench-{secrets.token_hex(4)}"
    environment = os.environ | platform.engine["environment"]
    podman = ["podman", *platform.engine["arguments"]]
    places = []
    begin = time.monotonic()
    try:
        for number, container in enumerate(containers):
            host, config = container["HostConfig"], container["Config"]
            words = [*podman, "run", "--detach", "--name", f"{mark}-{number}", "--init", f"--memory={host['Memory']}"]
            words += [f"--cpus={host['NanoCpus'] / 1e9}", f"--pids-limit={host['PidsLimit']}", "--cap-drop=ALL"]
            words += [f"--user={config['User']}", *(f"--env={value}" for value in config["Env"])]
            for limit in host.get("Ulimits") or []:
                words += [f"--ulimit={limit['Name'].lower().removeprefix('rlimit_')}={limit['Soft']}:{limit['Hard']}"]
            entry = config.get("Entrypoint") or []
            words += ["--entrypoint", entry[0], container["Image"], *entry[1:], *(config["Cmd"] or [])]
            started = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
            assert started.returncode == 0, started.stderr
        listed = subprocess.run(
            [*podman, "inspect", "--format", "{{.NetworkSettings.IPAddress}}", *(f"{mark}-{n}" for n in range(len(containers)))],
            env=environment, capture_output=True, text=True, timeout=120, check=True)
        places = [(address, 5000, "small") for address in listed.stdout.split()]
        assert len(places) == len(containers), listed.stdout
        return until_all_answer(places) - begin
    finally:
        names = [f"{mark}-{number}" for number in range(len(containers))]
        subprocess.run([*podman, "rm", "--force", "--time", "0", *names], env=environment, capture_output=True, timeout=900)


def measure(platform, scratch):
    """Yields (name, peer, aim, better, pairs, unit)."""
    names = deploy(platform, pathlib.Path(scratch))
    memory, ours, engine = at_rest(platform)
    print(f"at rest: {memory / 1e6:.0f} MB, {ours:.1%} of a core; its engine {engine:.1%}", flush=True)
    yield f"platform's memory with {APPS} apps, of 120 MB", "the aim itself", 1.0, "lower", [(memory / 1e6, 120)], "MB"
    yield f"platform's CPU at rest with {APPS} apps, of 2 % of a core", "the aim itself", 1.0, "lower", [(ours * 100, 2)], "%"
    inspected = [platform.engine_api(f"/containers/{c['Id']}/json") for c in platform.containers() if c["Labels"].get("moor.app-name", "") in names]
    assert len(inspected) == len(names), f"{len(inspected)} containers"
    # From here on a stop takes the containers with it.
    platform.stop()
    platform.start("--stop-apps", seconds=600)
    platform.stop(seconds=900)
    pairs = []
    for _ in range(PAIRS):
        ours = cold_start(platform, names)
        platform.stop(seconds=900)
        theirs = one_by_one(platform, inspected)
        print(f"cold start {ours:.1f} s, podman run one by one {theirs:.1f} s", flush=True)
        pairs.append((ours, theirs))
    peer = subprocess.run(["podman", "--version"], capture_output=True, text=True).stdout.strip()
    yield f"{APPS} apps after a cold start, of podman run one by one", f"{peer}, in one network", 0.7, "lower", pairs, "s"
