"""What a build may use, and what it leaves."""

import base64
import json
import urllib.parse

import httpx
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from support.platform import wait_for

SECRET = "s3cret/of the+builds=ö"
DISGUISES = [SECRET, urllib.parse.quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode(), "s3cret/of"]


def test_what_builds_are_given_is_told_nowhere_and_the_app_does_not_have_it(platform, command, checkout, viewer):
    repository = checkout("nosy")
    here = {"cwd": repository.folder}
    command("apps", "create", repository.app)
    command("config", "set", "--build", "BUILD_SECRET=-", input=SECRET + "\n", **here)
    assert command.json("config", "list", **here) == {"build": ["BUILD_SECRET"], "config": {}}
    assert SECRET not in command("config", "list", **here).stdout
    # What a package's own build says is shown where that fails.
    (repository.folder / "nosy/fails").write_text("")
    repository.commit("Fails")
    failed = repository.push()
    assert not failed.ok
    assert f"nosy was given {len(SECRET)} characters" in failed.said, failed.said
    assert "nosy says •••• and •••• and ••••" in failed.said, failed.said
    (repository.folder / "nosy/fails").unlink()
    push = repository.deploy()
    environment = viewer().sign_in(repository.app).get(repository.app, "/env").json()
    assert "BUILD_SECRET" not in environment
    told = [push.text, failed.text, platform.log(), json.dumps(platform.rows("SELECT * FROM builds"))]
    told += [path.read_text() for path in (platform.data / "logs").glob("*.log")]
    for text in told:
        for disguise in DISGUISES:
            assert disguise not in text
    command("config", "unset", "--build", "BUILD_SECRET", **here)
    assert command.json("config", "list", **here)["build"] == []


def test_a_build_reaches_neither_the_platform_nor_its_apps(platform, checkout, shared):
    other = shared("plain")
    [replica] = platform.containers(other.app)
    networks = platform.engine_api(f"/containers/{replica['Id']}/json")["NetworkSettings"]["Networks"]
    [address] = [network["IPAddress"] for network in networks.values()]
    repository = checkout("nosy")
    doors = [f"gateway {platform.port} platform", "gateway 7911 inside", f"{address} 5000 app"]
    (repository.folder / "nosy/doors").write_text("\n".join(doors) + "\n")
    (repository.folder / "nosy/fails").write_text("")
    repository.commit("Knocks and fails, so that what it says is shown")
    push = repository.push()
    for name in ["platform", "inside", "app"]:
        assert f"nosy: {name} closed" in push.said, push.said
    # The package index answers all the while.
    (repository.folder / "nosy/fails").unlink()
    assert "six==1.17.0" in repository.deploy().said


def test_what_takes_the_disk_and_what_is_installed_can_be_asked(platform, command, checkout, tmp_path):
    repository = checkout("nosy")
    repository.deploy()
    use = command.json("images")
    [mine] = [app for app in use["apps"] if app["app"] == repository.app]
    assert mine["images"] == 1 and mine["layers"] == 1
    assert mine["ownBytes"] == mine["imageBytes"] + mine["layerBytes"] + mine["cacheBytes"] > 0
    assert mine["sharedBytes"] > 50 << 20
    assert use["totalBytes"] >= use["sharedBytes"] + sum(app["ownBytes"] for app in use["apps"]) > 0
    table = command("images").stdout
    assert repository.app in table and "MiB" in table

    file = tmp_path / "bom.json"
    command("sbom", repository.app, "--release", "v1", "--output", str(file))
    text = file.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == repository.app
    by_purl = {component["purl"]: component for component in bill["components"]}
    assert by_purl["pkg:pypi/nosy@1.0"]["licenses"] == [{"expression": "MIT"}]
    assert "pkg:pypi/six@1.17.0" in by_purl and any(purl.startswith("pkg:deb/debian/libc6@") for purl in by_purl)
    assert command("sbom", repository.app, "--release", "v9", check=False).returncode == 1


def test_a_layer_that_nothing_stands_on_goes_by_itself(platform, checkout):
    repository = checkout("plain")
    repository.deploy()

    def layers():
        try:
            images = platform.engine_api("/images/json")
        except httpx.HTTPStatusError:  # Podman answers 500 where an image goes while it lists them.
            return set()
        tags = [tag for image in images for tag in image["RepoTags"] or []]
        return {tag for tag in tags if f"/{repository.app}:deps-" in tag}

    [first] = layers()
    # A release that does not come up, with other packages: its layer is kept for the next push.
    repository.write(requirements_txt="six==1.16.0\n", Procfile="web: false\n")
    repository.commit("Other packages")
    assert not repository.push().ok
    wait_for(lambda: len(layers()) == 2, "both layers", 30)
    # Another with the packages of before: now nothing stands on that layer, and no next push will want it.
    repository.write(requirements_txt="", app_py="raise SystemExit(1)\n")
    repository.commit("The packages of before")
    assert not repository.push().ok
    wait_for(lambda: layers() == {first}, "the end of the layer that nothing stands on", 60)
