"""Large bodies, without holding one, and what the platform's memory does meanwhile."""

import threading
import time

CHUNK = bytes(256 * 1024)


class Memory:
    """Samples the platform's resident memory every 50 ms."""

    def __init__(self, platform):
        self.platform, self.samples, self.over = platform, [], threading.Event()

    def __enter__(self):
        self.samples.append(self.platform.rss())
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()
        return self

    def _sample(self):
        while not self.over.wait(0.05):
            self.samples.append(self.platform.rss())

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    @property
    def growth(self):
        """Bytes above the first sample, at the most."""
        return max(self.samples) - self.samples[0]


def zeros(megabytes):
    for _ in range(megabytes * 4):
        yield CHUNK


def seconds(work):
    begin = time.monotonic()
    work()
    return time.monotonic() - begin
