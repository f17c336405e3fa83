"""What every journey stands on: one platform for the run, and checkouts to push from."""

import itertools
import os
import pathlib
import secrets
import subprocess
import tempfile

import pytest

pytest.register_assert_rewrite("support.platform", "support.repository", "support.viewer", "support.load", "support.browser")
from support.browser import chromium
from support.neighbour import Neighbour
from support.platform import Command, Platform, wait_for
from support.repository import Repository
from support.viewer import Viewer

_numbers = itertools.count(1)

# In the order of a push's journey; what stops and breaks the platform comes last.
ORDER = ["push", "builds", "frameworks", "rollout", "viewers", "transfer", "client", "load", "serve", "survival", "faults"]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(item.path.stem.removeprefix("test_")))


@pytest.fixture(scope="session")
def scratch():
    """A folder for the run. Tests/run names one that its sweep knows; else it is the system's to name."""
    if folder := os.environ.get("JOURNEY_SCRATCH"):
        os.makedirs(folder, exist_ok=True)
        yield pathlib.Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="moortest-", ignore_cleanup_errors=True) as folder:
        os.environ["JOURNEY_RUN"] = pathlib.Path(folder).name
        yield pathlib.Path(folder)


@pytest.fixture(scope="session")
def neighbour():
    """Where viewers have their browsers, and the platform's conda packages come from once a test has them served."""
    with Neighbour() as neighbour:
        yield neighbour


@pytest.fixture(scope="session")
def platform(scratch, disk, neighbour):
    """The platform of the run, on a disk of its own, so that a test can fill it."""
    platform = Platform(scratch, data=disk / "data", environment=neighbour.settings, listen="0.0.0.0")
    try:
        platform.start()
        wait_for(lambda: "base image: ready" in platform.log(), "the base image", 300)
        yield platform
    finally:
        platform.remove()


@pytest.fixture(scope="session")
def disk(scratch):
    """A file system of 12 GB, held in a sparse file."""
    image, folder = scratch / "disk.img", scratch / "disk"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(12 << 30)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


@pytest.fixture(autouse=True)
def running(request):
    """A test that stopped the platform, or saw it die, does not take the next one down with it."""
    if "platform" in request.fixturenames:
        platform = request.getfixturevalue("platform")
        if platform.process.poll() is not None:
            platform.start()
    yield


@pytest.fixture
def checkout(platform, tmp_path):
    """Makes checkouts: `checkout("plain")` is a repository of that sample with an app name of its own."""

    def make(sample=None, app=None, **extra):
        name = app or f"{sample or 'app'}-{next(_numbers)}"
        repository = Repository(tmp_path / f"{name}-{secrets.token_hex(3)}" / "checkout", platform, name, **extra)
        return repository.use(sample) if sample else repository

    return make


@pytest.fixture(scope="session")
def shared(platform, tmp_path_factory):
    """Apps that several journeys look at, pushed once a run: `shared("plain")`."""
    made = {}

    def get(sample):
        if sample not in made:
            repository = Repository(tmp_path_factory.mktemp(sample) / "checkout", platform, f"shared-{sample}").use(sample)
            repository.deploy("Shared by journeys")
            made[sample] = repository
        return made[sample]

    return get


@pytest.fixture
def viewer(platform):
    """Makes people with a browser."""
    return lambda username="admin", password=None: Viewer(platform, username, password)


@pytest.fixture(scope="module")
def browser(neighbour, tmp_path_factory):
    """Chromium. Not for a module with an event loop of its own, as this has one too."""
    with chromium(neighbour, tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def person(platform):
    """Makes users: `person("grace", role="viewer")` returns name and password."""

    def make(prefix="grace", role="developer", name="Grace Hopper", groups=()):
        username, password = f"{prefix}{next(_numbers)}", secrets.token_urlsafe(12)
        answer = platform.api("POST", "/users", json={
            "username": username, "name": name, "email": f"{username}@example.com", "role": role, "groups": list(groups),
            "password": password})
        assert answer.status_code < 300, answer.text
        return username, password

    return make


@pytest.fixture
def command(platform, tmp_path):
    """The client, signed in as admin."""
    command = Command(platform, tmp_path / "home")
    command.sign_in()
    return command
