"""A person at a terminal: a program on a pseudo terminal, what it shows, and keys."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time


class Terminal:
    def __init__(self, command, *arguments, rows=24, columns=80):
        self.near, self.far = pty.openpty()
        self._size(rows, columns)
        self.before = termios.tcgetattr(self.far)
        self.shown = ""
        self.process = subprocess.Popen(
            [command.platform.binary, *arguments], stdin=self.far, stdout=self.far, stderr=self.far, start_new_session=True,
            env={"HOME": str(command.home), "PATH": "/usr/bin:/bin", "TERM": "vt220"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.near)
        os.close(self.far)

    def _size(self, rows, columns):
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self._size(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def type(self, keys):
        os.write(self.near, keys.encode())

    def _read(self, seconds):
        if select.select([self.near], [], [], seconds)[0]:
            self.shown += os.read(self.near, 65536).decode(errors="replace")

    def expect(self, text, seconds=30):
        """Waits until `text` is shown after what was waited for before."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} was not shown: {self.shown!r}"
            self._read(0.2)
        self.shown = self.shown.split(text, 1)[1]

    def wait(self, seconds=30):
        """The exit status."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it goes on: {self.shown!r}"
            self._read(0.1)
        self._read(0)
        return self.process.returncode

    @property
    def is_restored(self):
        return termios.tcgetattr(self.far) == self.before
