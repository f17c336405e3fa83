"""What happens to an app that runs: each fault while requests come, none of which fails, and all is as it was soon after."""

import asyncio
import contextlib
import email.utils
import os
import pathlib
import signal
import subprocess
import threading
import time

import httpx
import pytest

from support import sweep
from support.load import Load
from support.platform import wait_for
from support.repository import Repository

CLOCK = pathlib.Path(__file__).parent / "support/clock.c"
# Seconds from a fault's end until what is desired runs again.
BACK = 30


@pytest.fixture(scope="module")
def pair(platform, tmp_path_factory):
    """An app for everybody with two replicas that answer."""
    if platform.process.poll() is not None:
        platform.start()
    repository = Repository(tmp_path_factory.mktemp("pair") / "checkout", platform, "pair").use("plain")
    repository.write(moor_yaml="processes:\n  web:\n    replicas: 2\n    resources: { cpu: 500m, memory: 128Mi }\n")
    repository.deploy("Two of them")
    httpx.put(
        platform.url(f"/api/v1/apps/{repository.app}/access"), json={"mode": "public"}, auth=("admin", platform.password), timeout=30
    ).raise_for_status()
    return repository.app


@contextlib.contextmanager
def under_load(platform, app):
    """Requests come all the while; afterwards every one of them has been answered, and by the app."""
    load, stop = Load(platform.port, f"{app}.localhost:{platform.port}", rate=25), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(load.run(600, stop)))
    thread.start()
    try:
        yield load
        time.sleep(2)
    finally:
        stop.set()
        thread.join()
    assert load.sent > 20
    assert load.lost == [] and set(load.bodies) == {b"one"} and set(load.statuses) == {200}, (
        load.lost[:5], dict(load.statuses), list(load.bodies)[:5])


def ready(platform, app):
    """The containers of the replicas that the platform says are ready."""
    replicas = httpx.get(
        platform.url(f"/api/v1/apps/{app}/replicas"), auth=("admin", platform.password), timeout=30).raise_for_status().json()
    return [replica for replica in replicas["replicas"] if replica["state"] == "ready"]


def back(platform, app, gone=None, count=2, seconds=BACK):
    """Until as many replicas are ready as are desired, and none of them is the container that the fault took."""
    def is_back():
        containers = [c for c in platform.containers(app) if c["State"] == "running"]
        if gone in [c["Id"] for c in containers]:
            return False
        rows = {row["containerID"] for row in platform.rows(
            "SELECT containerID FROM replicas JOIN releases ON releases.id = releaseID JOIN apps ON apps.id = appID WHERE name = ?", app)}
        return len(ready(platform, app)) == count and {c["Id"] for c in containers} == rows and len(rows) == count

    wait_for(is_back, "the return of what is desired", seconds, every=0.2)


def pid_of(platform, container):
    return platform.engine_api(f"/containers/{container['Id']}/json")["State"]["Pid"]


def monitor_of(container):
    """The conmon process that watches over it."""
    for entry in os.listdir("/proc"):
        words = sweep.read(f"/proc/{entry}/cmdline").split(b"\0") if entry.isdigit() else []
        if words and words[0].endswith(b"conmon") and container["Id"].encode() in words:
            return int(entry)
    raise AssertionError(f"nothing watches over {container['Id']}")


# Each answers which container it took, if any.


def a_replica_is_killed(platform, app):
    container = platform.containers(app)[0]
    os.kill(pid_of(platform, container), signal.SIGKILL)
    return container["Id"]


def a_monitor_is_killed_and_then_its_replica(platform, app):
    container = platform.containers(app)[0]
    pid = pid_of(platform, container)
    os.kill(monitor_of(container), signal.SIGKILL)
    time.sleep(1)
    os.kill(pid, signal.SIGKILL)
    return container["Id"]


def the_engine_is_killed(platform, app):
    for pid in platform.engine_pids():
        os.kill(pid, signal.SIGKILL)
    wait_for(platform._note_engine, "the engine's return", 30)


def the_engine_is_frozen_and_a_replica_dies_meanwhile(platform, app):
    container = platform.containers(app)[0]
    pid = pid_of(platform, container)
    [engine] = platform.engine_pids()
    os.kill(engine, signal.SIGSTOP)
    try:
        time.sleep(5)
        os.kill(pid, signal.SIGKILL)
        time.sleep(25)
    finally:
        os.kill(engine, signal.SIGCONT)
    return container["Id"]


def a_container_is_removed_by_hand(platform, app):
    container = platform.containers(app)[0]
    sweep.podman(platform.engine, "rm", "--force", "--time", "0", container["Id"])
    return container["Id"]


@pytest.mark.parametrize("fault", [
    a_replica_is_killed, a_monitor_is_killed_and_then_its_replica, the_engine_is_killed,
    the_engine_is_frozen_and_a_replica_dies_meanwhile, a_container_is_removed_by_hand])
def test_no_request_fails_and_everything_comes_back(platform, pair, fault):
    with under_load(platform, pair):
        back(platform, pair, fault(platform, pair))


def test_a_killed_platform_takes_over_what_runs(platform, pair):
    before = {c["Id"] for c in platform.containers(pair)}
    platform.kill()
    # One of them ends while nobody looks.
    gone = platform.containers(pair)[0]
    os.kill(pid_of(platform, gone), signal.SIGKILL)
    platform.start()
    back(platform, pair)
    assert len(before & {c["Id"] for c in platform.containers(pair)}) == 1, "what ran was started anew"


def test_an_image_that_was_removed_by_hand_is_built_again(platform, pair):
    [image] = {c["Image"] for c in platform.containers(pair)}
    # Podman removes what runs on it too.
    sweep.podman(platform.engine, "rmi", "--force", image)
    assert platform.containers(pair) == []
    back(platform, pair)
    with under_load(platform, pair):
        pass
    [row] = platform.rows("SELECT digest FROM images WHERE reference = ?", image)
    assert row["digest"].removeprefix("sha256:") == platform.engine_api(f"/images/{image}/json")["Id"].removeprefix("sha256:")


def drift(platform):
    """How far the platform's clock is ahead of ours, by the date of its answers."""
    told = httpx.get(platform.url("/api/v1/openapi.json"), timeout=10).headers["date"]
    return email.utils.parsedate_to_datetime(told).timestamp() - time.time()


def test_the_clock_may_jump(platform, pair, tmp_path):
    """The platform's own wall clock, not the host's."""
    offset, library = tmp_path / "offset", tmp_path / "clock.so"
    offset.write_text("0")
    subprocess.run(["clang", "-shared", "-fPIC", "-o", library, CLOCK], check=True)
    platform.stop()
    before = platform.environment
    platform.environment = before | {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
    try:
        platform.start()
        back(platform, pair)
        with under_load(platform, pair):
            for seconds in (7200, -7200):
                offset.write_text(str(seconds))
                taken = a_replica_is_killed(platform, pair)
                wait_for(lambda: abs(drift(platform) - seconds) < 60, "the platform's clock to move", 10)
                back(platform, pair, taken)
    finally:
        platform.environment = before
        platform.stop()
        platform.start()
    back(platform, pair)
