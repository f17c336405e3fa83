"""A machine beside this one, as far as the network goes: a namespace that is reached over a link of its own.

What viewers and mirrors do is done there, since on the platform's own host it is not the same: from builds none of its ports
answer, and Chromium drops what it loads (ERR_NETWORK_CHANGED) whenever any container's interface comes or goes.
"""

import contextlib
import ipaddress
import pathlib
import secrets
import subprocess
import sys

from .platform import ROOT

CHANNEL = pathlib.Path(__file__).with_name("conda_channel.py")


class Neighbour(contextlib.ExitStack):
    def __init__(self):
        super().__init__()
        # Addresses that RFC 2544 sets aside for tests of networks; four of them, so that runs beside each other differ.
        block = ipaddress.ip_address("198.18.0.0") + 4 * secrets.randbelow(1 << 15)
        self.host, self.address = str(block + 1), str(block + 2)
        link = f"jc{secrets.token_hex(4)}"
        # The namespace and the link go with the last process in it, and each ends with its standard input.
        self.inside = []
        holder = self.start("unshare", "--net", "cat")
        holder.stdin.write(b"there\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"there\n"
        self.inside = ["nsenter", "--net", "--target", str(holder.pid)]
        self.ip([], f"link add {link} type veth peer name eth0 netns {holder.pid}", f"addr add {self.host}/30 dev {link}", f"link set {link} up")
        self.ip(self.inside, f"addr add {self.address}/30 dev eth0", "link set lo up", "link set eth0 up", f"route add default via {self.host}")

    def start(self, *command):
        return self.enter_context(subprocess.Popen([*self.inside, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    def ip(self, where, *lines):
        subprocess.run([*where, "ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)

    @property
    def settings(self):
        """The platform's, with the neighbour's channel in conda-forge's place."""
        return {"MOOR_CONDA_CHANNELS": "conda-forge", "MOOR_CONDA_MIRRORS": f"conda-forge=http://{self.address}"}

    def serve_conda(self):
        """The channel of conda_channel.py, made once among the build products as the Swift tests do."""
        channel = str(ROOT / ".build/conda-channel")
        subprocess.run([sys.executable, CHANNEL, "make", channel], check=True)
        assert self.start(sys.executable, CHANNEL, "serve", channel, "", "80").stdout.readline() == b"80\n"
