"""Constant load: sixty seconds of it across five pushes, and beside apps that take all they can."""

import asyncio
import threading

from support.load import Load
from support.platform import wait_for
from test_rollout import items

SECONDS = 60
PUSHES = 5


def test_constant_load_across_five_pushes_loses_nothing(platform, checkout, viewer, command):
    repository = checkout("plain")
    repository.deploy("Before the load")
    ada = viewer().sign_in(repository.app)
    load = Load(platform.port, f"{repository.app}.localhost:{platform.port}", headers=[f"Cookie: {ada.cookies_for(repository.app)}"])
    pushed, resized, begun, stop = [], [], threading.Event(), threading.Event()
    source = (repository.folder / "app.py").read_text()

    def push():
        begun.wait()
        for number in range(PUSHES):
            repository.write(app_py=source.replace('"one"', f'"load {number}"')).commit(f"Under load {number}")
            pushed.append(repository.push())
        # Other caps are other containers.
        resized.append(command("resources", "web", "--memory", "128Mi", "--app", repository.app, check=False))

    pusher = threading.Thread(target=push)
    pusher.start()

    async def run():
        begun.set()
        await load.run(SECONDS)
        # All five must fall under load, also on a slow machine.
        if pusher.is_alive():
            running = asyncio.create_task(load.run(240, stop))
            await asyncio.to_thread(pusher.join)
            stop.set()
            await running

    asyncio.run(run())
    pusher.join()
    assert len(pushed) == PUSHES and all(push.ok for push in pushed), "\n".join(push.text for push in pushed if not push.ok)
    assert resized[0].returncode == 0, resized[0].stderr
    seen = {body.decode() for body in load.bodies}
    print(f"{load.sent} requests, answered {dict(load.statuses)}, lost {len(load.lost)}; releases seen: {sorted(seen)}")
    assert load.lost == [], load.lost[:10]
    assert set(load.statuses) == {200}, (dict(load.statuses), list(load.bodies)[:12])
    assert sum(load.statuses.values()) == load.sent >= SECONDS * load.rate * 0.95
    assert seen >= {f"load {number}" for number in range(PUSHES)}


MEMORY_BOMB = """
import time
time.sleep(3)
kept = []
while True:
    kept.append(bytearray(1 << 20))
"""
FORK_BOMB = """
import os, time
time.sleep(3)
print("the bomb goes off", flush=True)
while True:
    try:
        os.fork()
    except OSError as error:
        print(error, flush=True)
"""


def test_a_memory_bomb_and_a_fork_bomb_hurt_nobody(platform, checkout, shared, viewer, command):
    app = shared("plain").app
    cookies = viewer().sign_in(app).cookies_for(app)
    bombs = []
    for bomb, caps in [(MEMORY_BOMB, "memory: 64Mi"), (FORK_BOMB, "pids: 48, memory: 256Mi")]:
        repository = checkout("plain").write(
            bomb_py=bomb, moor_yaml=f"processes:\n  bomb: {{ command: python bomb.py, resources: {{ cpu: 500m, {caps} }} }}\n")
        repository.commit()
        bombs.append(repository)

    def p95(seconds):
        load = Load(platform.port, f"{app}.localhost:{platform.port}", headers=[f"Cookie: {cookies}"])
        asyncio.run(load.run(seconds))
        assert load.lost == [] and set(load.statuses) == {200}, (load.lost[:10], dict(load.statuses))
        return sorted(load.latencies)[int(len(load.latencies) * 0.95)]

    p95(2)
    alone = p95(6)
    for repository in bombs:
        push = repository.push()
        assert push.ok, push.text
    memory, forks = (repository.app for repository in bombs)
    # More than there can ever be: it waits, and nothing else does.
    giant = checkout("plain").write(
        moor_yaml="health: { timeout: 1s }\nprocesses:\n  web: { resources: { memory: 900Gi } }\n")
    giant.commit()
    pushing = giant.start_push()

    def replica(of):
        return next(replica for replica in items(command.json("ps", "--app", of)) if replica["name"] == "bomb.1")

    wait_for(lambda: "ran out of memory: it used all of its 64 MiB" in (replica(memory)["reason"] or ""), "the end by memory", 30)
    wait_for(lambda: "temporarily unavailable" in command("logs", "--app", forks, "--process", "bomb").stdout, "the cap on forks", 30)
    beside = p95(8)
    print(f"p95 alone {alone * 1000:.1f} ms, beside the bombs {beside * 1000:.1f} ms")
    assert replica(memory)["restarts"] > 0 and replica(forks)["restarts"] == 0
    assert beside < 4 * alone + 0.02, (alone, beside)
    push = pushing.finish(60)
    assert not push.ok and "web.1 is pending: needs 900 GiB of memory; this machine has" in push.said, push.text
    assert "there was no room for web.1 of v1: it needs 900 GiB of memory" in push.said, push.text
    for repository in bombs:
        command("apps", "delete", repository.app, "--yes")
