"""push → build → image → release → replica → request, as the pusher sees it."""

import random
import re
import shutil
import time

import pytest

from support.platform import ROOT, wait_for
from support.transfer import Memory


def test_a_first_push_brings_a_live_app_and_tells_each_stage_as_it_happens(platform, checkout, person, viewer):
    name, password = person("ada", name="Ada Lovelace")
    repository = checkout("plain", user=name, password=password)
    repository.commit("The first version")
    push = repository.push()
    assert push.ok, push.text
    # What is promised, in the order it happens: detection with its reason, build, release, replica, times, URL.
    stages = ["requirements.txt", "v1", "web.1", "together", platform.app_url(repository.app, "")]
    places = [next((n for n, line in enumerate(push.remote) if words in line), None) for words in stages]
    assert None not in places, f"{dict(zip(stages, places))}\n{push.said}"
    assert places == sorted(places), push.said
    assert re.search(r"build \d+\.\d s, rollout \d+\.\d s", push.said), push.said
    assert push.time_of("together") - push.time_of("requirements.txt") > 0.3, "the lines came all at once"
    # Owned by the pusher, who needs nobody's permission to use it.
    [app] = platform.rows("SELECT username, deployBranch FROM apps JOIN users ON users.id = ownerID WHERE apps.name = ?", repository.app)
    assert app == {"username": name, "deployBranch": "main"}
    owner = viewer(name, password).sign_in(repository.app)
    assert owner.get(repository.app).text == "one"


def test_a_dash_app_without_a_procfile_is_recognised(platform, checkout, viewer):
    repository = checkout(app="example")
    shutil.copytree(ROOT / "buildpacks/pip/example", repository.folder, dirs_exist_ok=True)
    repository.commit()
    push = repository.push()
    assert push.ok, push.text
    assert re.search(r"dash", push.said, re.I), push.said
    page = viewer().sign_in("example").get("example")
    assert page.status_code == 200 and "_dash" in page.text


def test_a_second_push_replaces_the_first_and_uses_the_cache(platform, checkout, viewer):
    repository = checkout("plain")
    repository.deploy()
    person = viewer().sign_in(repository.app)
    repository.write(app_py=(repository.folder / "app.py").read_text().replace('"one"', '"two"'))
    begin = time.monotonic()
    push = repository.deploy("The second version")
    assert "v2" in push.said
    assert person.get(repository.app).text == "two"
    assert time.monotonic() - begin < 60
    # The old replica goes once it has drained.
    wait_for(lambda: len(platform.containers(repository.app)) == 1, "the old replica's end", 30)


def test_the_same_commit_gives_the_app_what_it_needs_to_know(platform, checkout, viewer):
    repository = checkout("plain")
    commit = repository.commit()
    assert repository.push().ok
    environment = viewer().sign_in(repository.app).get(repository.app, "/env").json()
    assert environment["PORT"] == "5000" and environment["HOST"] == "0.0.0.0"
    assert environment["MOOR_APP"] == repository.app and environment["MOOR_RELEASE"] == "v1" and environment["MOOR_COMMIT"] == commit
    assert environment["MOOR_URL"] == platform.app_url(repository.app, "") and environment["MOOR_PANEL_URL"] == platform.url("")
    assert "DASH_APP_NAME" not in environment and environment["DASH_SECRET_KEY"]
    assert environment["DASH_JWKS_URL"] == environment["MOOR_JWKS_URL"]


@pytest.mark.parametrize(
    "files, expected",
    [
        ({"README_md": "nothing to run\n"}, ["requirements.txt", "hint"]),
        ({"requirements_txt": "", "app_py": "print(1)\n", "Procfile": "web: python app.py\nthis is no line\n"}, ["Procfile", "line 2"]),
        ({"requirements_txt": "flask\npandsa-of-nobody==1.0\n", "app_py": "", "Procfile": "web: python app.py\n"},
         ["requirements.txt", "line 2", "pandsa-of-nobody"]),
        ({"requirements_txt": "flask ===== 3\n", "app_py": "", "Procfile": "web: python app.py\n"}, ["requirements.txt", "line 1"]),
    ],
    ids=["no recognisable app", "a Procfile line that does not parse", "a package that does not exist", "a requirement that does not parse"],
)
def test_a_push_that_cannot_be_built_is_rejected_with_the_place(platform, checkout, files, expected):
    repository = checkout().write(**files)
    repository.commit()
    push = repository.push()
    assert not push.ok
    for words in expected:
        assert words in push.said, push.said
    assert "rejected" in push.text
    assert repository.git("ls-remote", "moorage").stdout == "", "the branch must not name what did not come up"
    assert platform.containers(repository.app) == []
    assert platform.rows(
        "SELECT pushes.state FROM pushes JOIN apps ON apps.id = appID WHERE apps.name = ?", repository.app) == [{"state": "rejected"}]


def test_a_failing_build_leaves_the_live_release_alone(platform, checkout, viewer):
    repository = checkout("plain")
    live = repository.deploy()
    tip = repository.git("ls-remote", "moorage", "refs/heads/main").stdout
    person = viewer().sign_in(repository.app)
    repository.write(requirements_txt="pandsa-of-nobody\n").commit()
    assert not repository.push().ok
    assert person.get(repository.app).text == "one"
    assert repository.git("ls-remote", "moorage", "refs/heads/main").stdout == tip
    assert live.ok


@pytest.mark.parametrize("name", ["Sales", "sales_2", "-sales", "api", "a" * 41, "moorage"])
def test_a_name_that_is_no_dns_label_or_is_reserved_is_refused(platform, checkout, name):
    repository = checkout().write(requirements_txt="")
    repository.git("remote", "set-url", "moorage", platform.remote(name))
    repository.commit()
    push = repository.push()
    assert not push.ok
    assert "name" in push.text.lower() and ("hint" in push.text or "choose" in push.text), push.text
    assert platform.rows("SELECT 1 FROM apps WHERE name = ?", name) == []


def test_a_wrong_password_and_a_strangers_app_are_refused(platform, checkout, person):
    mine = checkout("plain")
    mine.deploy()
    stranger, password = person()
    for user, word in ((stranger, password), ("admin", "not the password"), ("nobody", "whatever it is")):
        theirs = checkout("plain", app=mine.app, user=user, password=word)
        theirs.commit()
        push = theirs.push()
        assert not push.ok and "v2" not in push.text
    assert len(platform.rows("SELECT 1 FROM releases JOIN apps ON apps.id = appID WHERE name = ?", mine.app)) == 1


def test_ones_own_app_can_be_cloned(platform, checkout, tmp_path):
    repository = checkout("plain")
    commit = repository.commit("To be cloned")
    assert repository.push().ok
    for version in ("0", "2"):
        target = tmp_path / f"clone-{version}"
        repository.git("-c", f"protocol.version={version}", "clone", "--quiet", platform.remote(repository.app), str(target))
        assert (target / "app.py").read_text() == (repository.folder / "app.py").read_text()
        assert repository.git("-C", str(target), "rev-parse", "HEAD").stdout.strip() == commit


def test_another_branch_and_a_tag_are_kept_and_do_not_deploy(platform, checkout):
    repository = checkout("plain")
    repository.deploy()
    repository.git("switch", "--quiet", "--create", "idea")
    repository.write(app_py="broken(").commit()
    repository.git("tag", "keep-me")
    push = repository.push("idea", "keep-me")
    assert push.ok, push.text
    assert "idea" in push.said and "main" in push.said, push.said
    refs = repository.git("ls-remote", "moorage").stdout
    assert "refs/heads/idea" in refs and "refs/tags/keep-me" in refs
    assert len(platform.rows("SELECT 1 FROM releases JOIN apps ON apps.id = appID WHERE name = ?", repository.app)) == 1


def test_the_deploy_branch_cannot_be_deleted_and_a_force_push_deploys(platform, checkout, viewer):
    repository = checkout("plain")
    repository.deploy()
    push = repository.push("--delete", "main")
    assert not push.ok and "main" in push.said, push.text
    repository.write(app_py=(repository.folder / "app.py").read_text().replace('"one"', '"forced"'))
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--amend", "--message=Rewritten")
    assert not repository.push().ok, "git itself refuses without force"
    push = repository.push("--force", "main")
    assert push.ok, push.text
    assert viewer().sign_in(repository.app).get(repository.app).text == "forced"


@pytest.mark.parametrize("first_fails", [False, True])
def test_two_pushes_at_once_queue(platform, checkout, viewer, first_fails):
    first = checkout("slow-build").write(slow__seconds="5")
    if first_fails:
        first.write(slow__fails="")
    first.commit("Takes a while")
    running = first.start_push()
    wait_for(platform.building, "the first build")
    second = checkout("plain", app=first.app)
    second.write(app_py=(second.folder / "app.py").read_text().replace('"one"', '"two"')).commit("Comes next")
    waiting = second.start_push()
    waiting.wait_for("waiting")
    one, two = running.finish(), waiting.finish()
    assert one.ok is not first_fails, one.text
    # What was pushed against a branch that has moved meanwhile is refused, as git does; else its turn comes.
    assert two.ok is first_fails, two.text
    assert two.ok or "while this push waited" in two.said, two.text
    assert viewer().sign_in(first.app).get(first.app).text == ("two" if first_fails else "one")
    assert platform.rows("SELECT 1 FROM pushes WHERE endedAt IS NULL") == []


def test_hanging_up_during_the_build_cancels_it_and_leaves_nothing(platform, checkout):
    images = {image["Id"] for image in platform.images()}
    repository = checkout("slow-build").write(slow__seconds="60")
    repository.commit()
    running = repository.start_push()
    wait_for(platform.building, "the build")
    begin = time.monotonic()
    running.hang_up()
    wait_for(lambda: platform.rows(
        "SELECT 1 FROM pushes JOIN apps ON apps.id = appID WHERE apps.name = ? AND pushes.state = 'cancelled'", repository.app),
        "the push's cancellation", 30)
    assert time.monotonic() - begin < 30
    assert platform.rows("SELECT 1 FROM builds WHERE endedAt IS NULL") == []
    assert platform.containers(repository.app) == []
    assert platform.rows("SELECT 1 FROM releases JOIN apps ON apps.id = appID WHERE name = ?", repository.app) == []
    assert repository.git("ls-remote", "moorage").stdout == ""
    wait_for(lambda: {image["Id"] for image in platform.images() if image.get("RepoTags")} <= images, "the image's removal", 30)
    wait_for(lambda: not platform.building(), "the end of the build", 30)


def test_lfs_pointers_and_submodules_are_named(platform, checkout):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    repository = checkout("plain").write(data__big_csv=pointer)
    repository.git("add", "--all")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/library")
    repository.git("commit", "--quiet", "--message=Pointers")
    push = repository.push()
    assert not push.ok
    assert "big.csv" in push.said and "LFS" in push.said, push.said
    assert "vendor/library" in push.said and "submodule" in push.said.lower(), push.said


def test_a_large_repository_takes_constant_memory(platform, checkout, tmp_path):
    repository = checkout("plain")
    for number in range(24):
        (repository.folder / f"data-{number}.bin").write_bytes(random.randbytes(8 << 20))
    repository.commit()
    with Memory(platform) as memory:
        push = repository.push()
    assert push.ok, push.text
    assert memory.growth < 96 << 20, f"{memory.growth >> 20} MB more while 192 MB were pushed"
