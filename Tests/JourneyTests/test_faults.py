"""What breaks: the engine, the disk, the platform itself; and that nothing stays half-done."""

import os
import signal
import subprocess
import threading
import time

import httpx
import pytest

from support.platform import wait_for
from support.slowlink import SlowLink


class EngineDown:
    """Kills the engine as often as it comes back, until the end of the block."""

    def __init__(self, platform):
        self.platform, self.over, self.kills = platform, threading.Event(), 0

    def _kill(self):
        while not self.over.wait(0.1):
            for pid in self.platform.engine_pids():
                os.kill(pid, signal.SIGKILL)
                self.kills += 1

    def __enter__(self):
        self.thread = threading.Thread(target=self._kill)
        self.thread.start()
        return wait_for(lambda: self.kills, "the engine's end", 10)

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        wait_for(self.platform._note_engine, "the engine's return", 60)


def test_an_engine_that_dies_in_a_build_is_a_clear_refusal_and_works_again(platform, checkout, viewer):
    repository = checkout("slow-build").write(slow__seconds="10")
    repository.commit()
    running = repository.start_push()
    wait_for(platform.building, "the build")
    with EngineDown(platform):
        push = running.finish(120)
    assert not push.ok and "engine" in push.said.lower() and "hint" in push.said, push.text
    assert "internal" not in push.said.lower() and "wrong on the platform" not in push.said, push.said
    assert platform.rows("SELECT 1 FROM builds WHERE endedAt IS NULL") == []
    assert platform.rows("SELECT 1 FROM releases JOIN apps ON apps.id = appID WHERE name = ?", repository.app) == []
    wait_for(lambda: not platform.building(), "the end of the build", 60)
    repository.write(slow__seconds="0").commit("Quicker")
    again = repository.push()
    assert again.ok, again.text
    assert viewer().sign_in(repository.app).get(repository.app).text == "one"


def test_apps_answer_while_the_engine_is_down(platform, shared, viewer):
    app = shared("plain").app
    ada = viewer().sign_in(app)
    with EngineDown(platform):
        for _ in range(20):
            assert ada.get(app).text == "one"
            time.sleep(0.1)
    assert ada.get(app).text == "one"


def test_a_full_disk_is_a_clear_refusal_and_works_again(platform, disk, checkout, shared, viewer):
    app = shared("plain").app
    ada = viewer().sign_in(app)
    repository = checkout("plain")
    repository.deploy()
    filler = disk / "filler"
    free = os.statvfs(disk)
    subprocess.run(["fallocate", "-l", str(free.f_bavail * free.f_frsize - (512 << 10)), filler], check=True)
    try:
        with open(repository.folder / "data.bin", "wb") as file:
            file.write(os.urandom(24 << 20))
        repository.commit()
        push = repository.push()
        assert not push.ok
        assert "disk" in push.text.lower() or "space" in push.text.lower(), push.text
        assert ada.get(app).text == "one", "what runs goes on"
        assert platform.process.poll() is None
    finally:
        filler.unlink()
    again = repository.push()
    assert again.ok, again.text
    assert platform.rows("SELECT 1 FROM pushes WHERE endedAt IS NULL") == []


# kill -9


def consistent(platform, app):
    """Nothing is left of what was under way, in the rows or in the engine."""
    settled = "SELECT (SELECT count(*) FROM pushes WHERE endedAt IS NULL) + (SELECT count(*) FROM builds WHERE endedAt IS NULL)" \
        " + (SELECT count(*) FROM releases WHERE state = 'rolling') AS open"
    wait_for(lambda: platform.rows(settled)[0]["open"] == 0, "the end of everything open", 60)
    [live] = platform.rows(
        "SELECT releases.* FROM releases JOIN apps ON apps.liveReleaseID = releases.id WHERE apps.name = ? AND releases.state = 'live'", app)

    def containers_match():
        rows = platform.rows(
            "SELECT containerID, releaseID FROM replicas WHERE releaseID IN (SELECT id FROM releases WHERE appID = ?)", live["appID"])
        engine = {c["Id"] for c in platform.containers(app)}
        return {row["containerID"] for row in rows} == engine and {row["releaseID"] for row in rows} == {live["id"]} and engine

    wait_for(containers_match, "containers that are those of the rows", 60)

    def images_match():
        kept = {row["digest"].removeprefix("sha256:") for row in platform.rows("SELECT digest FROM images WHERE removedAt IS NULL")}
        engine = {image["Id"].removeprefix("sha256:"): image.get("RepoTags") or [] for image in platform.images()}
        # The base and each app's layer of dependencies are kept for the next build.
        built = {digest for digest, tags in engine.items() if any("moor-base:" not in tag and ":deps-" not in tag for tag in tags)}
        return built == kept

    wait_for(images_match, "images that are those of the rows", 30)

    def orphans():
        return platform.rows(
            "SELECT images.id FROM images JOIN builds ON builds.id = buildID JOIN pushes ON pushes.id = pushID WHERE appID = ?"
            " AND images.removedAt IS NULL AND images.id NOT IN (SELECT imageID FROM releases WHERE state IN ('live', 'superseded'))",
            live["appID"])

    wait_for(lambda: orphans() == [], "the removal of images that no release can use", 30)
    return live


@pytest.fixture
def victim(checkout):
    """An app with a good release, "one"."""
    repository = checkout("plain")
    repository.deploy("Good")
    return repository


def change(repository, text="two", **files):
    repository.write(app_py=(repository.folder / "app.py").read_text().replace('"one"', f'"{text}"'), **files)
    repository.commit(text)


def during_receive(platform, repository):
    with open(repository.folder / "data.bin", "wb") as file:
        file.write(os.urandom(24 << 20))
    change(repository)
    link = SlowLink(platform.port, 6 << 20)
    repository.git("remote", "set-url", "moorage", f"http://localhost:{link.port}/git/{repository.app}.git")
    running = repository.start_push()
    assert link.stalled.wait(60)
    time.sleep(0.3)  # what has passed is on its way to git
    platform.kill()
    running.hang_up()
    link.close()
    repository.git("remote", "set-url", "moorage", platform.remote(repository.app))


def during_build(platform, repository):
    repository.use("slow-build")
    change(repository, slow__seconds="120")
    running = repository.start_push()
    wait_for(platform.building, "the build")
    platform.kill()
    assert not running.finish(60).ok
    repository.write(slow__seconds="0").commit("Quicker")


def after_the_image(platform, repository):
    change(repository, Procfile="web: python app.py\nrelease: python -c \"import time; print('the release command runs', flush=True); time.sleep(60)\"\n")
    running = repository.start_push()
    running.wait_for("the release command runs")
    platform.kill()
    assert not running.finish(60).ok
    repository.write(Procfile="web: python app.py\n").commit("No release command")


def while_replicas_start(platform, repository):
    slow = (repository.folder / "app.py").read_text().replace('"START_SECONDS", "0"', '"START_SECONDS", "45"')
    change(repository.write(app_py=slow))
    running = repository.start_push()
    # The new replica has its container, and does not answer yet.
    wait_for(lambda: len(platform.containers(repository.app)) == 2, "the new replica", 60)
    platform.kill()
    assert not running.finish(60).ok
    quick = (repository.folder / "app.py").read_text().replace('"START_SECONDS", "45"', '"START_SECONDS", "0"')
    repository.write(app_py=quick).commit("Starts at once")


def before_the_drain_ends(platform, repository):
    from support.viewer import Viewer

    ada = Viewer(platform).sign_in(repository.app)
    begun = threading.Event()

    def hold():
        try:
            url = platform.app_url(repository.app, "/slow?seconds=50")
            with httpx.stream("GET", url, headers={"cookie": ada.cookies_for(repository.app)}, timeout=60) as slow:
                for _ in slow.iter_raw():
                    begun.set()
        except httpx.HTTPError:
            pass

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    assert begun.wait(20)
    change(repository)
    running = repository.start_push()
    wait_for(lambda: ada.get(repository.app).text == "two", "the switch of the traffic", 90)
    platform.kill()
    running.finish(60)
    holder.join(20)


@pytest.mark.parametrize(
    "point", [during_receive, during_build, after_the_image, while_replicas_start, before_the_drain_ends])
def test_a_kill_leaves_nothing_half_done_and_the_last_good_release_serves(platform, victim, viewer, point):
    point(platform, victim)
    platform.start()
    live = consistent(platform, victim.app)
    ada = viewer()
    wait_for(lambda: ada.open(platform.app_url(victim.app, "/"))[0].status_code == 200, "an answer", 60)
    text = ada.get(victim.app).text
    assert text == ("one" if live["number"] == 1 else "two")
    if point is not before_the_drain_ends:
        assert live["number"] == 1, "a release that never came up is live"
    scratch = [path for path in platform.data.rglob("tmp_objdir-incoming-*")]
    assert scratch == [], "a quarantine folder was left"
    # And the same push works now.
    again = victim.push()
    assert again.ok, again.text
    assert ada.get(victim.app).text == "two"
    consistent(platform, victim.app)
