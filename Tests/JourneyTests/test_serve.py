"""`moor serve` itself: how it starts, refuses to start, and stops."""

import os
import re
import signal
import threading

import httpx
import pytest

from support.platform import ROOT, free_port, wait_for


def test_a_second_platform_on_the_same_data_folder_refuses(platform):
    second = platform.spawn(MOOR_LISTEN=f"127.0.0.1:{free_port()}")
    output, _ = second.communicate(timeout=30)
    assert second.returncode != 0
    assert str(platform.data) in output.decode() and str(platform.process.pid) in output.decode() and "hint" in output.decode()
    assert platform.api("GET", "/apps").status_code == 200


@pytest.mark.parametrize(
    "text, expected",
    [
        ("listen: 127.0.0.1:9\nlisten_on: x\n", ["line 2", "listen_on"]),
        ("engine:\n  kind: rkt\n", ["line 2", "rkt", "podman or docker"]),
        ("listen: nowhere\n", ["line 1", "nowhere", "127.0.0.1:8080"]),
        ("engine: [podman]\n", ["line 1", "engine"]),
        ("build:\n  timeout: soon\n", ["line 2", "soon"]),
        ("engine:\n\tkind: podman\n", ["line 2"]),
    ],
)
def test_a_mistake_in_the_configuration_stops_the_start(platform, tmp_path, text, expected):
    file = tmp_path / "moorage.yaml"
    file.write_text(text)
    start = platform.spawn("--config", str(file), MOOR_DATA=str(tmp_path / "data"))
    output = start.communicate(timeout=30)[0].decode()
    assert start.returncode != 0
    for words in [str(file), *expected]:
        assert words in output, output


def test_a_misspelt_variable_stops_the_start(platform, tmp_path):
    start = platform.spawn(MOOR_LISTN="127.0.0.1:1", MOOR_DATA=str(tmp_path / "data"))
    output = start.communicate(timeout=30)[0].decode()
    assert start.returncode != 0 and "MOOR_LISTN" in output and "MOOR_LISTEN" in output


def test_the_documented_configuration_is_the_default_one(platform, tmp_path):
    """Every key of config/moorage.yaml, uncommented, is accepted."""
    lines = (ROOT / "config/moorage.yaml").read_text().splitlines()
    keys = [re.sub(r"^(\s*)# (?=[a-z]+:)", r"\1", line) for line in lines]
    assert sum(a != b for a, b in zip(lines, keys)) > 10
    file = tmp_path / "moorage.yaml"
    file.write_text("\n".join(keys))
    # Only what the second platform must have of its own differs.
    start = platform.spawn("--config", str(file), MOOR_LISTEN=f"127.0.0.1:{platform.port}")
    output = start.communicate(timeout=30)[0].decode()
    assert start.returncode != 0 and "another moor serve" in output, output


def test_the_engine_keeps_no_copy_of_what_it_was_given(platform):
    assert list((platform.data / "engine/tmp").glob("api_load*")) == []


def test_ctrl_c_leaves_the_apps_running_and_the_next_start_adopts_them(platform, checkout, viewer):
    repository = checkout("plain")
    repository.deploy()
    ada = viewer().sign_in(repository.app)
    before = {c["Id"] for c in platform.containers()}
    pids = [platform.engine_api(f"/containers/{c}/json")["State"]["Pid"] for c in before]
    assert platform.stop(signal.SIGINT) == 0
    assert "error" not in platform.log().splitlines()[-1]
    assert all(os.path.exists(f"/proc/{pid}") for pid in pids if pid), "the containers went with the platform"
    assert platform.engine_pids() == [], "the engine was left behind"
    platform.start()
    wait_for(lambda: ada.get(repository.app).status_code == 200, "the adopted app's answer", 30)
    assert {c["Id"] for c in platform.containers()} == before
    assert ada.get(repository.app).text == "one"


def test_stop_apps_stops_them_and_the_next_start_brings_them_back(platform, checkout, viewer):
    repository = checkout("plain")
    repository.deploy()
    ada = viewer().sign_in(repository.app)
    platform.stop()
    platform.start("--stop-apps")
    wait_for(lambda: ada.get(repository.app).status_code == 200, "the adopted app's answer", 30)
    pids = [platform.engine_api(f"/containers/{c['Id']}/json")["State"]["Pid"] for c in platform.containers()]
    assert platform.stop(signal.SIGTERM) == 0
    assert not [pid for pid in pids if pid and os.path.exists(f"/proc/{pid}")], "containers run on"
    platform.start()
    wait_for(lambda: ada.get(repository.app).status_code == 200, "the app's return", 60)


def test_a_request_in_flight_is_answered_before_the_stop(platform, shared, viewer):
    app = shared("plain").app
    ada = viewer().sign_in(app)
    wait_for(lambda: ada.get(app).status_code == 200, "the app's answer", 60)
    begun, body = threading.Event(), []

    def read():
        with httpx.stream("GET", platform.app_url(app, "/slow?seconds=4"), headers={"cookie": ada.cookies_for(app)}, timeout=30) as slow:
            for piece in slow.iter_raw():
                body.append(piece)
                begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(10)
    assert platform.stop() == 0
    reader.join(20)
    assert len(b"".join(body).splitlines()) >= 15, "the answer was cut off"
