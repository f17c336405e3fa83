"""Sixty seconds of constant load across five pushes."""

import asyncio
import threading

from support.load import Load

SECONDS = 60
PUSHES = 5


def test_constant_load_across_five_pushes_loses_nothing(platform, checkout, viewer):
    repository = checkout("plain")
    repository.deploy("Before the load")
    ada = viewer().sign_in(repository.app)
    load = Load(platform.port, f"{repository.app}.localhost:{platform.port}", headers=[f"Cookie: {ada.cookies_for(repository.app)}"])
    pushed, begun, stop = [], threading.Event(), threading.Event()
    source = (repository.folder / "app.py").read_text()

    def push():
        begun.wait()
        for number in range(PUSHES):
            repository.write(app_py=source.replace('"one"', f'"load {number}"')).commit(f"Under load {number}")
            pushed.append(repository.push())

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
    seen = {body.decode() for body in load.bodies}
    print(f"{load.sent} requests, answered {dict(load.statuses)}, lost {len(load.lost)}; releases seen: {sorted(seen)}")
    assert load.lost == [], load.lost[:10]
    assert set(load.statuses) == {200}, (dict(load.statuses), list(load.bodies)[:12])
    assert sum(load.statuses.values()) == load.sent >= SECONDS * load.rate * 0.95
    assert seen >= {f"load {number}" for number in range(PUSHES)}
