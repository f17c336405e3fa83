"""Ten minutes of load on an app with two replicas while one of them is killed every ten seconds: every request is answered."""

import asyncio
import os
import signal
import threading
import time

import httpx
from support.load import Load
from support.platform import wait_for
from support.repository import Repository

SECONDS = int(os.environ.get("BENCH_KILL_SECONDS", 600))


def measure(platform, scratch):
    """Yields (name, peer, aim, better, pairs, unit)."""
    repository = Repository(scratch / "kills" / "checkout", platform, "kills").use("plain")
    repository.write(moor_yaml="processes:\n  web:\n    replicas: 2\n    resources: { cpu: 500m, memory: 128Mi }\n")
    repository.deploy("Two of them")
    httpx.put(
        platform.url("/api/v1/apps/kills/access"), json={"mode": "public"}, auth=("admin", platform.password), timeout=30
    ).raise_for_status()
    load, over, kills = Load(platform.port, f"kills.localhost:{platform.port}", rate=50), threading.Event(), []

    def ready():
        replicas = httpx.get(platform.url("/api/v1/apps/kills/replicas"), auth=("admin", platform.password), timeout=30).json()["replicas"]
        return sum(replica["state"] == "ready" for replica in replicas)

    def kill():
        while not over.wait(10):
            # The other one serves meanwhile: one of two, never both.
            wait_for(lambda: ready() == 2, "both replicas", 60)
            container = platform.containers("kills")[len(kills) % 2]
            os.kill(platform.engine_api(f"/containers/{container['Id']}/json")["State"]["Pid"], signal.SIGKILL)
            kills.append(time.monotonic())

    killer = threading.Thread(target=kill)
    killer.start()
    asyncio.run(load.run(SECONDS))
    over.set()
    killer.join()
    failed = load.sent - load.statuses[200]
    print(f"{load.sent} requests, {len(kills)} kills, {failed} failed: {dict(load.statuses)}, lost {load.lost[:3]}", flush=True)
    yield "failed requests while a replica is killed every 10 s", "none should", 0, "lower", [(failed, 1)], "requests"
