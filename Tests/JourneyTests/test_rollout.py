"""Release and rollout: what becomes of an app that is not well, and how a good one is changed."""

import concurrent.futures
import re

import pytest

from support.platform import wait_for

UNWELL = ["crash", "wrong-port", "localhost-only", "silent"]


@pytest.fixture(scope="module")
def rejected(platform, tmp_path_factory):
    """The push of each unwell sample over a good release; all at once, since each takes its health check's time."""
    from support.repository import Repository

    def push(sample):
        repository = Repository(tmp_path_factory.mktemp(sample) / "checkout", platform, f"unwell-{sample}").use("plain")
        repository.deploy()
        tip = repository.git("ls-remote", "moorage", "refs/heads/main").stdout
        repository.use(sample).commit("Unwell")
        return repository, repository.push(), tip

    with concurrent.futures.ThreadPoolExecutor(len(UNWELL)) as pool:
        return dict(zip(UNWELL, pool.map(push, UNWELL)))


@pytest.mark.parametrize("sample", UNWELL)
def test_an_unwell_release_is_rejected_and_the_old_one_keeps_serving(platform, rejected, viewer, sample):
    repository, push, tip = rejected[sample]
    assert not push.ok, push.text
    assert viewer().sign_in(repository.app).get(repository.app).text == "one"
    assert repository.git("ls-remote", "moorage", "refs/heads/main").stdout == tip
    [live] = platform.rows(
        "SELECT number FROM releases JOIN apps ON apps.id = appID WHERE name = ? AND releases.state = 'live'", repository.app)
    assert live["number"] == 1
    assert len(platform.containers(repository.app)) == 1


def test_the_last_fifty_lines_of_a_replica_that_dies_are_shown(rejected):
    said = rejected["crash"][1].said
    assert "KeyError: 'DATABASE_URL'" in said, said
    assert "line 80 of the app" in said and "line 40 of the app" in said, said
    assert "line 20 of the app" not in said, said


def test_a_wrong_port_is_named(rejected):
    assert re.search(r"nothing listens on \$PORT \(5000\); the process listens on .*8050", rejected["wrong-port"][1].said), rejected["wrong-port"][1].said


def test_an_app_that_only_its_own_container_can_reach_is_named(rejected):
    said = rejected["localhost-only"][1].said
    assert "127.0.0.1" in said and "0.0.0.0" in said and "5000" in said, said


def test_an_app_that_never_answers_is_named(rejected):
    said = rejected["silent"][1].said
    assert "no answer" in said, said
    assert "listening, but saying nothing" in said, said


@pytest.fixture
def two(checkout):
    """An app with two releases, "one" and "two"."""
    repository = checkout("plain")
    repository.deploy("One")
    repository.write(app_py=(repository.folder / "app.py").read_text().replace('"one"', '"two"'))
    repository.deploy("Two")
    return repository


def test_rollback_makes_a_new_release_of_an_old_image_without_a_build(platform, two, viewer, command):
    builds = len(platform.rows("SELECT 1 FROM builds"))
    command("rollback", "--app", two.app)
    person = viewer().sign_in(two.app)
    assert person.get(two.app).text == "one"
    assert person.get(two.app, "/env").json()["MOOR_RELEASE"] == "v3"
    command("rollback", "v2", "--app", two.app)
    assert person.get(two.app).text == "two"
    assert len(platform.rows("SELECT 1 FROM builds")) == builds
    causes = platform.rows("SELECT number, cause FROM releases JOIN apps ON apps.id = appID WHERE name = ? ORDER BY number", two.app)
    assert [row["cause"] for row in causes] == ["push", "push", "rollback", "rollback"]
    refused = command("rollback", "v99", "--app", two.app, check=False)
    assert refused.returncode != 0 and "v99" in refused.stderr


def test_waves_pause_undo_and_a_canary(platform, checkout, viewer, command):
    repository = checkout("plain")
    spec = "processes: { web: { replicas: 2, rollout: { max_surge: 1 } } }\n"
    (repository.folder / "moor.yaml").write_text(spec)
    repository.deploy("One")
    app = ("--app", repository.app)
    people = [viewer().sign_in(repository.app) for _ in range(8)]
    versions = lambda: {person.get(repository.app).text for person in people}

    # Held before the first wave, the push waits in its terminal; resumed, both go over without an error.
    command("rollout", "pause", *app)
    repository.write(app_py=(repository.folder / "app.py").read_text().replace('"one"', '"two"')).commit("Two")
    push = repository.start_push()
    push.wait_for("paused by admin")
    held = command.json("rollout", "status", *app)
    assert (held["phase"], held["live"], held["release"], held["processes"][0]["newReady"]) == ("paused", 1, 2, 0), held
    assert versions() == {"one"}
    command("rollout", "resume", *app)
    assert push.finish().ok
    assert versions() == {"two"}
    wait_for(lambda: len(platform.containers(repository.app)) == 2, "two new replicas alone", 40)

    # Undone in the middle of its waves: the second replica is slow to come up, the old release is whole again.
    (repository.folder / "moor.yaml").write_text(spec.replace("replicas: 2", "replicas: 2, command: sleep 4; exec python app.py"))
    repository.write(app_py=(repository.folder / "app.py").read_text().replace('"two"', '"three"')).commit("Three")
    push = repository.start_push()
    push.wait_for("web.1 is healthy")
    wait_for(lambda: command.json("rollout", "status", *app)["processes"][0]["oldReady"] == 1, "an old replica's end", 40)
    command("rollout", "undo", *app)
    broken = push.finish()
    assert not broken.ok and "admin took v3 back" in broken.said, broken.text
    assert versions() == {"two"}
    wait_for(lambda: len(platform.containers(repository.app)) == 2, "the two old replicas alone", 40)

    # A canary of the first release for half of the viewers, each of whom stays; then for all.
    command("rollout", "canary", "50%", "--release", "v1", *app)
    first = [person.get(repository.app).text for person in people]
    assert all([person.get(repository.app).text for person in people] == first for _ in range(3))
    status = command.json("rollout", "status", *app)
    assert (status["phase"], status["release"], status["newShare"]) == ("canary", 4, 50), status
    counted = {traffic["release"]: traffic for traffic in status["traffic"]}
    assert counted[4]["requests"] == 4 * first.count("one") and counted[2]["requests"] == 4 * first.count("two"), (status, first)
    assert counted[4]["errors"] == counted[2]["errors"] == 0
    refused = repository.push("-o", "canary=10%", "main", "--force")
    assert not refused.ok and "v4 is a canary" in refused.said, refused.text
    command("rollout", "promote", *app)
    assert versions() == {"one"}
    command("rollout", "undo", *app)
    assert versions() == {"two"}


def test_scale_to_three_and_back(platform, checkout, viewer, command):
    repository = checkout("plain")
    repository.deploy()
    person = viewer().sign_in(repository.app)
    command("scale", "web=3", "--app", repository.app)
    seen = set()
    wait_for(lambda: seen.add(person.get(repository.app, "/replica").text) or len(seen) == 3, "answers of three replicas", 20)
    assert len(platform.containers(repository.app)) == 3
    ready = [replica for replica in items(command.json("ps", "--app", repository.app)) if replica["state"] == "ready"]
    assert len(ready) == 3
    # The next push keeps the number.
    repository.deploy("Still three")
    wait_for(lambda: len(platform.containers(repository.app)) == 3, "three new replicas alone", 30)
    command("scale", "web=1", "--app", repository.app)
    wait_for(lambda: len(platform.containers(repository.app)) == 1, "one replica", 30)
    assert person.get(repository.app).text == "one"


def items(answer):
    """The list in a listing, whether it stands alone or under a name."""
    return answer if isinstance(answer, list) else next(value for value in answer.values() if isinstance(value, list))


def test_config_makes_a_release_and_the_app_sees_it(platform, checkout, viewer, command):
    repository = checkout("plain")
    repository.deploy()
    person = viewer().sign_in(repository.app)
    command("config", "set", "GREETING=hello world", "SECRET=hush-hush", "--app", repository.app)
    environment = person.get(repository.app, "/env").json()
    assert environment["GREETING"] == "hello world" and environment["MOOR_RELEASE"] == "v2"
    listed = command("config", "list", "--app", repository.app).stdout
    assert "GREETING" in listed
    command("config", "unset", "GREETING", "--app", repository.app)
    environment = person.get(repository.app, "/env").json()
    assert "GREETING" not in environment and environment["SECRET"] == "hush-hush" and environment["MOOR_RELEASE"] == "v3"
    refused = command("config", "set", "PORT=1", "--app", repository.app, check=False)
    assert refused.returncode != 0
    assert "hush-hush" not in platform.log(), "a secret stands in the log"
    database = b"".join(path.read_bytes() for path in platform.data.glob("*.sqlite*"))
    assert b"hush-hush" not in database, "a secret stands in the database as it is"


def test_a_change_of_config_that_breaks_the_app_is_taken_back(platform, checkout, viewer, command):
    repository = checkout("plain")
    repository.deploy()
    refused = command("config", "set", "START_SECONDS=not-a-number", "--app", repository.app, check=False)
    assert refused.returncode != 0 and "not-a-number" in refused.stdout + refused.stderr
    assert viewer().sign_in(repository.app).get(repository.app, "/env").json()["MOOR_RELEASE"] == "v1"
    assert "START_SECONDS" not in command("config", "list", "--app", repository.app).stdout


def test_a_replica_that_exits_is_started_again(platform, checkout, viewer):
    repository = checkout("plain")
    repository.deploy()
    person = viewer().sign_in(repository.app)
    person.get(repository.app, "/exit")
    wait_for(lambda: person.get(repository.app).status_code == 200, "the replica's restart", 30)
    [replica] = platform.rows(
        "SELECT replicas.restarts FROM replicas JOIN releases ON releases.id = releaseID JOIN apps ON apps.id = appID WHERE name = ?",
        repository.app)
    assert replica["restarts"] >= 1


def test_containers_are_confined(platform, checkout):
    repository = checkout("plain")
    repository.deploy()
    [container] = platform.containers(repository.app)
    inspected = platform.engine_api(f"/containers/{container['Id']}/json")
    host, config = inspected["HostConfig"], inspected["Config"]
    assert config["User"] not in ("", "0", "root")
    assert host["CapDrop"] and not host["CapAdd"] and any("no-new-privileges" in option for option in host["SecurityOpt"])
    assert host["Memory"] > 0 and host["PidsLimit"] > 0 and (host["NanoCpus"] > 0 or host["CpuQuota"] > 0)
    status = open(f"/proc/{inspected['State']['Pid']}/status").read()
    assert re.search(r"CapEff:\s+0+$", status, re.M) and re.search(r"CapBnd:\s+0+$", status, re.M)
    assert re.search(r"NoNewPrivs:\s+1", status) and not re.search(r"^Uid:\s+0\s", status, re.M)
    other = checkout("plain")
    other.deploy()
    [neighbour] = platform.containers(other.app)
    networks = [set(platform.engine_api(f"/containers/{c['Id']}/json")["NetworkSettings"]["Networks"]) for c in (container, neighbour)]
    assert not networks[0] & networks[1], "apps share a network"
