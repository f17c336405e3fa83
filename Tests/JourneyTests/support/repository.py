"""A data scientist's checkout, and the real git."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import threading
import time

APPS = pathlib.Path(__file__).resolve().parents[1] / "apps"


@dataclasses.dataclass
class Push:
    """What a `git push` printed, line by line with the second it came."""

    status: int
    lines: list

    @property
    def ok(self):
        return self.status == 0

    @property
    def remote(self):
        """What the platform said."""
        return [text.removeprefix("remote: ").rstrip() for _, text in self.lines if text.startswith("remote:")]

    @property
    def text(self):
        return "\n".join(text for _, text in self.lines)

    @property
    def said(self):
        return "\n".join(self.remote)

    def time_of(self, words):
        """When a line with these words came."""
        return next(at for at, text in self.lines if words in text)


class RunningPush:
    """A push that has begun."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        line = b""
        while byte := self.process.stderr.read(1):
            if byte in b"\r\n":
                self._add(line)
                line = b""
            else:
                line += byte
        self._add(line)
        with self.changed:
            self.changed.notify_all()

    def _add(self, line):
        if line.strip():
            with self.changed:
                self.lines.append((time.monotonic(), line.decode(errors="replace").rstrip()))
                self.changed.notify_all()

    def wait_for(self, *words, seconds=90):
        """Until a line has one of the words. Returns the line."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self.changed:
            while True:
                for _, text in self.lines[seen:]:
                    if any(word in text for word in words):
                        return text
                seen = len(self.lines)
                left = deadline - time.monotonic()
                text = "\n".join(line for _, line in self.lines)
                assert left > 0 and (self.process.poll() is None or self.reader.is_alive()), f"no line with {words}:\n{text}"
                self.changed.wait(min(left, 0.5))

    def finish(self, seconds=240):
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("git push did not end:\n" + "\n".join(line for _, line in self.lines))
        self.reader.join(10)
        return Push(status, self.lines)

    def hang_up(self):
        """As a terminal that is closed: git and its HTTP helper are gone at once."""
        os.killpg(self.process.pid, 9)
        self.process.wait()


class Repository:
    def __init__(self, folder, platform, app, user="admin", password=None):
        self.folder = pathlib.Path(folder)
        self.platform, self.app, self.user, self.password = platform, app, user, password or platform.password
        self.folder.mkdir(parents=True)
        askpass = self.folder.parent / "askpass"
        askpass.write_text('#!/bin/sh\ncase "$1" in Username*) echo "$PUSH_USER" ;; *) echo "$PUSH_PASSWORD" ;; esac\n')
        askpass.chmod(0o755)
        self.askpass = askpass
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "moorage", platform.remote(app))

    def environment(self):
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k == "GIT_SSL_CAINFO"},
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": str(self.askpass), "PUSH_USER": self.user, "PUSH_PASSWORD": self.password,
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
        }

    def git(self, *arguments, check=True, seconds=120):
        result = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=seconds)
        if check:
            assert result.returncode == 0, f"git {' '.join(arguments)}: {result.stderr}"
        return result

    def use(self, sample):
        """Puts a sample app of Tests/JourneyTests/apps into the checkout."""
        shutil.copytree(APPS / sample, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        return self

    def write(self, **files):
        """Files by name; a double underscore stands for a slash, a single one before the end for a dot: `app_py`."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def commit(self, message="Change"):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD").stdout.strip()

    def start_push(self, *arguments, remote="moorage"):
        return RunningPush(subprocess.Popen(
            ["git", "push", remote, *(arguments or ["main"])], cwd=self.folder, env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True))

    def push(self, *arguments, seconds=240, **extra):
        return self.start_push(*arguments, **extra).finish(seconds)

    def deploy(self, message="Change"):
        """Commits, pushes, and expects it to be live."""
        self.commit(message)
        push = self.push()
        assert push.ok, push.text
        return push
