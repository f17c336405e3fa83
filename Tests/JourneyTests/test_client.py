"""The `moor` command line and the JSON API under it, end to end."""

import signal
import subprocess
import time

import httpx
import openapi_spec_validator

from support.platform import Command, wait_for
from support.terminal import Terminal
from test_rollout import items


def test_the_openapi_document_is_served_and_valid(platform):
    document = httpx.get(platform.url("/api/v1/openapi.json")).json()
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.")
    # Every operation that needs no parameter answers what the document says, and asks who is there.
    for path, methods in document["paths"].items():
        if "get" in methods and "{" not in path:
            url = platform.url(path if path.startswith("/api") else "/api/v1" + path)
            declared = methods["get"]["responses"]
            answer = httpx.get(url, auth=("admin", platform.password))
            assert str(answer.status_code) in declared or "default" in declared, (path, answer.status_code)


def test_errors_of_the_api_have_code_message_and_hint(platform):
    answer = platform.api("GET", "/apps/no-such-app")
    assert answer.status_code == 404
    problem = answer.json()
    assert "no-such-app" in str(problem) and "hint" in str(problem)
    assert httpx.get(platform.url("/api/v1/apps")).status_code == 401
    assert platform.api("POST", "/apps", content=b"{", headers={"content-type": "application/json"}).status_code == 400


def test_every_verb_answers_in_json(platform, command, checkout, tmp_path):
    created = command.json("apps", "create", "verbs")
    assert "verbs" in str(created)
    assert "verbs" in [app["name"] for app in items(command.json("apps"))]
    repository = checkout("plain", app="verbs")
    repository.deploy("From the command line")
    # Inside a checkout with a remote named moorage, the app's name can be left out.
    here = {"cwd": repository.folder}
    [replica] = items(command.json("ps", **here))
    assert replica["state"] == "ready"
    command.json("scale", "web=2", **here)
    assert len(items(command.json("ps", **here))) == 2
    command.json("config", "set", "COLOUR=blue", **here)
    assert command.json("config", "list", **here) and "COLOUR" in str(command.json("config", "list", **here))
    command.json("config", "unset", "COLOUR", **here)
    assert [release["number"] for release in items(command.json("releases", **here))] in ([3, 2, 1], [1, 2, 3])
    command.json("rollback", "v1", **here)
    assert "plain one listens" in command("logs", **here).stdout
    assert command.json("resources", "web", "--memory", "96Mi", "--pids", "100", **here) == {"release": 5}
    [web] = items(command.json("resources", **here))
    assert (web["memoryBytes"], web["sources"]["memory"], web["sources"]["cpu"], web["setBy"]) == (96 << 20, "set", "default", "admin")
    # The replicas of the release before finish their requests first.
    wait_for(lambda: len(platform.containers("verbs")) == 2, "the new replicas alone", 30)
    for container in platform.containers("verbs"):
        limits = platform.engine_api(f"/containers/{container['Id']}/json")["HostConfig"]
        assert (limits["Memory"], limits["PidsLimit"]) == (96 << 20, 100)
    [quota] = items(command.json("quota", "set", "--app", "verbs", "--memory", "256Mi"))
    assert (quota["name"], quota["memoryBytes"], quota["usedMemoryBytes"]) == ("verbs", 256 << 20, 192 << 20)
    refused = command("scale", "web=3", check=False, **here)
    assert refused.returncode == 1 and "verbs would have 288 MiB of memory; the ceiling is 256 MiB" in refused.stderr, refused.stderr
    repository.write(moor_yaml="processes:\n  web:\n    resources: { memory: 1Gi }\n").commit("Above the ceiling")
    assert "moor.yaml line 3: processes.web.resources.memory is 1 GiB; the ceiling of verbs is 256 MiB" in repository.push().said
    assert items(command.json("quota", "set", "--app", "verbs", "--memory", "none")) == []
    command.json("access", "public", **here)
    assert httpx.get(platform.app_url("verbs", "/")).text == "one"
    command.json("access", "signed-in", **here)
    made = command.json("tokens", "create", "for-ci")
    secret = next(value for value in made.values() if isinstance(value, str) and len(value) > 30)
    assert httpx.get(platform.url("/api/v1/apps"), headers={"authorization": f"Bearer {secret}"}).status_code == 200
    command.json("tokens", "revoke", "for-ci")
    assert httpx.get(platform.url("/api/v1/apps"), headers={"authorization": f"Bearer {secret}"}).status_code == 401
    command.json("users", "add", "hedy", "--email", "hedy@example.com", "--role", "developer", "--password-stdin", input="a password for hedy\n")
    assert "hedy" in [user["username"] for user in items(command.json("users", "list"))]
    other = Command(platform, tmp_path / "hedy").sign_in("hedy", "a password for hedy")
    assert other("users", "remove", "admin", check=False).returncode != 0
    command.json("users", "remove", "hedy")
    assert other("apps", check=False).returncode != 0, "a removed user's token still works"
    command.json("apps", "delete", "verbs", "--yes")
    assert "verbs" not in [app["name"] for app in items(command.json("apps"))]
    assert platform.containers("verbs") == []
    assert [tag for image in platform.images() for tag in image.get("RepoTags") or [] if "/verbs:" in tag] == []
    assert httpx.get(platform.app_url("verbs", "/")).status_code in (401, 404)


def test_a_token_pushes_in_the_passwords_place(platform, command, checkout):
    made = command.json("tokens", "create", "for-git")
    secret = next(value for value in made.values() if isinstance(value, str) and len(value) > 30)
    repository = checkout("plain", password=secret)
    repository.deploy()
    command("tokens", "revoke", "for-git")
    repository.commit("After the revocation")
    assert not repository.push().ok


def test_logs_follow(platform, command, checkout):
    repository = checkout("plain")
    repository.deploy()
    following = subprocess.Popen(
        [platform.binary, "logs", "-f", "--app", repository.app], env={"HOME": str(command.home), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert "plain one listens" in following.stdout.readline()
        command("config", "set", "A=b", "--app", repository.app)
        assert "plain one listens" in following.stdout.readline()
    finally:
        following.kill()
        following.wait()


def test_a_mistake_on_the_command_line_says_what_to_do(platform, command, tmp_path):
    missing = command("ps", "--app", "no-such-app", check=False)
    assert missing.returncode != 0 and "no-such-app" in missing.stderr and "hint" in missing.stderr
    outside = command("ps", cwd=tmp_path, check=False)
    assert outside.returncode != 0 and "--app" in outside.stderr
    bad = command("scale", "web=lots", "--app", "no-such-app", check=False)
    assert bad.returncode == 2 and "web=lots" in bad.stderr


def start(command, *arguments, **extra):
    """The client, not waited for."""
    return subprocess.Popen(
        [command.platform.binary, *arguments], env={"HOME": str(command.home), "PATH": "/usr/bin:/bin"}, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **extra)


def test_commands_run_beside_an_app(platform, command, checkout, person, tmp_path):
    repository = checkout("plain")
    repository.deploy()
    app = repository.app
    replicas = {container["Id"] for container in platform.containers(app)}

    def others():
        return [container["Id"] for container in platform.containers(app) if container["Id"] not in replicas]

    # In a pipe: input to its end, two outputs apart, the exit code.
    program = "import sys; print(sys.stdin.read().upper()); print('bad', file=sys.stderr); sys.exit(7)"
    said = command("run", app, "python3", "-c", program, input="typed", check=False)
    assert (said.returncode, said.stdout, said.stderr) == (7, "TYPED\n", "bad\n")
    said = command("run", app, "--env", "A=b  c", "--", "sh", "-c", 'echo "$A" $MOOR_RELEASE; id -u')
    assert said.stdout == "b  c v1\n10001\n"
    assert command("run", "--app", app, "--", "echo $MOOR_APP && echo two").stdout == f"{app}\ntwo\n"
    assert command("run", app, "no-such-program", check=False).returncode == 127
    assert command("exec", app, "--replica", "web.1", "--", "sh", "-c", "cat; exit 9", input="through", check=False).stdout == "through"
    assert command("exec", app, "kill -9 $$", check=False).returncode == 137
    reading = start(command, "exec", app, "head", "-c", str(50 << 20), "/dev/zero")
    time.sleep(1)
    assert len(reading.stdout.read()) == 50 << 20 and reading.wait() == 0
    assert others() == []

    # At a terminal: its size from the start, resizes, Ctrl-C for the command, the terminal as it was.
    for verb in ("run", "exec"):
        with Terminal(command, verb, app, rows=33, columns=99) as terminal:
            terminal.type("stty size; echo $TERM\r")
            terminal.expect("33 99\r\nvt220")
            assert not terminal.is_restored
            terminal.resize(22, 44)
            terminal.type("while [ \"$(stty size)\" != '22 44' ]; do sleep 0.1; done; echo re''sized\r")
            terminal.expect("resized")
            terminal.type("sleep 1000\r")
            time.sleep(0.5)
            terminal.type("\x03")
            terminal.type("exit $?\r")
            assert terminal.wait() == 130 and terminal.is_restored
    assert others() == []

    # Signals are passed on; who is gone is not waited for.
    waiting = "import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: sys.exit(5)); print('up', flush=True); time.sleep(1000)"
    interrupted = start(command, "run", app, "python3", "-c", waiting)
    assert interrupted.stdout.readline() == "up\n"
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.wait(20) == 5
    for ending in (signal.SIGKILL, signal.SIGHUP):
        gone = start(command, "run", app, "python3", "-c", waiting)
        assert gone.stdout.readline() == "up\n"
        assert len(others()) == 1
        gone.send_signal(ending)
        gone.wait(20)
        wait_for(lambda: others() == [], "the end of the command's container", 30)
    with Terminal(command, "run", app) as terminal:
        terminal.type("echo u''p\r")
        terminal.expect("up")
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.wait() == 129 and terminal.is_restored
    wait_for(lambda: others() == [], "the end of the shell's container", 30)

    # Not for viewers.
    name, password = person("vera", role="viewer")
    other = Command(platform, tmp_path / name).sign_in(name, password)
    refused = other("run", app, "true", check=False)
    assert refused.returncode == 125 and "not do this" in refused.stderr

    # Detached, and attended, through a restart of the platform.
    detached = command("run", app, "--detach", "--", "sh", "-c", "echo begun; exec sleep 1000").stdout.strip()
    wait_for(lambda: "begun" in command("logs", "--app", app, "--process", "run").stdout, "its output", 20)
    attended = start(command, "run", app, "python3", "-c", waiting)
    assert attended.stdout.readline() == "up\n"
    began = time.monotonic()
    platform.stop()
    assert time.monotonic() - began < 30
    assert attended.wait(20) == 125 and "stopping" in attended.stderr.read()
    platform.start()
    assert len(others()) == 1
    listed = command.json("ps", "--app", app)["commands"]
    assert [(one["name"], one["program"], one["user"], one["state"]) for one in listed] == [(detached, "sh", "admin", "running")]
    command("run", app, "--stop", detached)
    wait_for(lambda: "ended" in command("ps", "--app", app).stdout, "its end in moor ps", 30)
    assert others() == []
    assert "program=python3" in platform.log() and "signal.signal" not in platform.log(), "of a command the log has its program alone"
